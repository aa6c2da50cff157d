#!/usr/bin/env python3
"""Writes set.jsonl, the labelled bodies: `python3 tests/accuracy/generate.py > tests/accuracy/set.jsonl`.

Everything is made up from a fixed seed; check digits are computed here, from the standards, and nothing is taken from the detectors.
Field names are those of public APIs for shops, delivery, identity checks, devices, accounts and payments.
"""
import json
import random
from urllib.parse import quote_plus

rng = random.Random(20261123)


class P:
    """A value with its label, or an object that is one thing."""

    def __init__(self, category, value):
        self.category, self.value = category, value


def digits(n):
    return "".join(rng.choice("0123456789") for _ in range(n))


def luhn(body):
    total = sum((d * 2 - 9 if d > 4 else d * 2) if i % 2 == 0 else d for i, d in enumerate(map(int, reversed(body))))
    return body + str(-total % 10)


def birth():
    return f"{rng.randint(1950, 2008):04}", f"{rng.randint(1, 12):02}", f"{rng.randint(1, 28):02}"


def resident():
    body = rng.choice(["110105", "310115", "440305", "330106", "510104", "420111", "610113", "320102", "370102", "230103"]) + "".join(birth()) + digits(3)
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights)) % 11]


def broken_resident():
    good = resident()
    return good[:17] + rng.choice([c for c in "0123456789" if c != good[17]])


def mobile():
    return rng.choice("130 131 135 136 138 139 150 151 152 158 159 166 173 177 180 185 186 188 189 191 198 199".split()) + digits(8)


def spaced(number):
    return rng.choice([number, f"{number[:3]}-{number[3:7]}-{number[7:]}", f"{number[:3]} {number[3:7]} {number[7:]}", f"+86 {number}", f"+86{number}"])


def e164():
    kind = rng.randrange(8)
    return [f"+49 30 {digits(8)}", f"+4479{digits(8)}", f"+1 212-555-{digits(4)}", f"+33 6 12 34 {digits(2)} {digits(2)}", f"+65 9{digits(7)}", f"+81 90-{rng.randint(1000,9999)}-{digits(4)}", f"+852 9{digits(7)}", f"+55 11 9{digits(8)}"][kind]


def email():
    return rng.choice(["li.wei", "zhang_san", "wangfang88", "anna.schmidt", "j.smith", "maria-garcia", "k.tanaka", "chenlong", "service.user+news", "o.brien"]) + rng.choice(["", digits(2)]) + "@" + rng.choice(["example.com", "example.cn", "mail.example.org", "example.co.uk", "corp.example.net"])


def card():
    return luhn(rng.choice(["621700" + digits(12), "622202" + digits(12), "622848" + digits(12), "621226" + digits(9), "4" + digits(14), "5" + rng.choice("12345") + digits(13), "37" + digits(12), "3530" + digits(11), "6011" + digits(11)]))


def imei():
    return luhn(rng.choice(["35", "86"]) + digits(12))


def mac():
    separator = rng.choice(":-")
    text = separator.join(f"{rng.randint(0, 255):02x}" for _ in range(6))
    return rng.choice([text, text.upper()])


def ipv4():
    return f"{rng.choice([113, 118, 59, 203, 81, 94, 172, 192, 24])}.{rng.randint(16, 254)}.{rng.randint(10, 254)}.{rng.randint(1, 254)}"


def ipv6():
    return rng.choice(["2001:db8:85a3::8a2e:370:7334", f"2408:8207:{rng.randint(1000, 9999)}:{rng.randint(1000, 9999)}::{rng.randint(1, 99)}", "240e:3b7:1234:5678:9abc:def0:1234:5678"])


def passport():
    return rng.choice(["E" + digits(8), "G" + digits(8), "EA" + digits(7)])


def uuid():
    return "-".join("".join(rng.choice("0123456789abcdef") for _ in range(n)) for n in (8, 4, 4, 4, 12))


def hexes(n):
    return "".join(rng.choice("0123456789abcdef") for _ in range(n))


def zh_name():
    return rng.choice("王李张刘陈杨黄赵吴周徐孙马朱胡郭林何高罗郑梁宋谢唐韩曹许邓冯") + rng.choice(["伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀兰", "霞", "子涵", "浩然", "欣怡", "宇轩", "梓萱", "志强", "建国", "晓东", "雨桐", "思远"])


def en_name():
    return rng.choice("James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Anna Hans Pierre Sofia Carlos Emma Oliver Lucia".split()) + " " + rng.choice("Smith Johnson Brown Garcia Miller Davis Wilson Taylor Schmidt Dupont Rossi Novak Jansen O'Brien Murphy Kowalski".split())


def zh_address():
    return rng.choice(["北京市朝阳区建国路", "上海市浦东新区世纪大道", "广东省深圳市南山区科技园路", "浙江省杭州市西湖区文三路", "四川省成都市武侯区天府大道", "湖北省武汉市洪山区珞喻路", "江苏省南京市鼓楼区中山北路"]) + f"{rng.randint(1, 999)}号" + rng.choice(["", f"{rng.randint(1, 20)}栋{rng.randint(1, 6)}单元{rng.randint(101, 2504)}室", f"{rng.randint(1, 30)}楼"])


def en_address():
    return f"{rng.randint(1, 999)} " + rng.choice(["Baker Street, London", "Main St, Springfield, IL 62704", "Market Street Apt 5B, San Francisco", "Rue de la Paix, 75002 Paris", "Queen Street West, Toronto", "Hauptstrasse, 10115 Berlin"])


def day():
    y, m, d = birth()
    return rng.choice([f"{y}-{m}-{d}", f"{y}{m}{d}", f"{y}/{m}/{d}"])


def zh_day():
    y, m, d = birth()
    return rng.choice([f"{y}-{m}-{d}", f"{y}年{int(m)}月{int(d)}日", f"{y}.{m}.{d}"])


def secret():
    return "".join(rng.choice("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!$") for _ in range(rng.randint(9, 32)))


def latitude():
    return round(rng.uniform(20, 50), rng.randint(4, 6))


def longitude():
    return round(rng.uniform(80, 125), rng.randint(4, 6))


def vector():
    return [round(rng.uniform(-1, 1), 4) for _ in range(rng.randint(4, 12))]


MAKE = {
    "person_name": lambda zh: zh_name() if zh else en_name(),
    "postal_address": lambda zh: zh_address() if zh else en_address(),
    "birth_date_age": lambda zh: zh_day() if zh else day(),
    "phone_number": lambda zh: spaced(mobile()) if zh else e164(),
    "email_address": lambda zh: email(),
    "national_id_number": lambda zh: resident() if zh or rng.random() < 0.3 else f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
    "passport_permit_number": lambda zh: passport(),
    "payment_card": lambda zh: card(),
    "hardware_id": lambda zh: imei(),
    "mac_address": lambda zh: mac(),
    "ip_address": lambda zh: ipv4() if rng.random() < 0.7 else ipv6(),
    "account_id": lambda zh: rng.choice([rng.randint(10000, 9999999), "u_" + digits(6), uuid(), "U" + digits(8)]),
    "credential_secret": lambda zh: secret(),
    "face_biometric": lambda zh: rng.choice([hexes(64), "data:image/jpeg;base64,/9j/4AAQ" + hexes(20), "face_" + hexes(16)]),
    "voice_fingerprint_other_biometric": lambda zh: hexes(48),
    "software_device_id": lambda zh: rng.choice([hexes(16), uuid(), "and-" + hexes(24)]),
    "advertising_id": lambda zh: rng.choice([uuid(), uuid().upper()]),
    "social_account": lambda zh: "o" + secret().replace("!", "x").replace("$", "y"),
}

# Field names by category: English styles, Chinese, pinyin abbreviations.
EN = {
    "person_name": "realName real_name fullName full_name firstName last_name customerName receiverName recipient_name contactName contact_name cardHolderName passengerName patientName consignee employee_name",
    "postal_address": "address addr shippingAddress delivery_address homeAddress street_address addressLine1 billing-address mailingAddress detailAddress residential_address",
    "birth_date_age": "dob birthday birthDate birth_date dateOfBirth date_of_birth BirthDay",
    "phone_number": "phone mobile phoneNumber phone_number tel telephone mobileNo cellphone contactPhone receiver_mobile userPhone msisdn contact_number x1 remark_no",
    "email_address": "email emailAddress e-mail user_email contactEmail mail notifyTo cc",
    "national_id_number": "idCard idCardNo id_number idNo identityCard national_id nationalId certNo id_card_no",
    "passport_permit_number": "passport passportNo passport_number passportNumber travelPassportNo",
    "payment_card": "cardNumber card_no bankCard bankCardNo creditCardNumber pan acct_card debit_card_no",
    "hardware_id": "imei IMEI imei1 deviceImei device_imei imei2",
    "mac_address": "mac macAddress mac_addr wifiMac bssid btMac",
    "ip_address": "ip ipAddress clientIp client_ip remote_addr loginIp lastLoginIp sourceIp userIp",
    "account_id": "userId user_id uid memberId customer_id accountId userNo user-id buyerId",
    "credential_secret": "password passwd pwd accessToken refresh_token apiKey client_secret token newPassword privateKey pay_password",
    "face_biometric": "faceId face_id faceFeature face_template faceImage facePhoto faceToken face_data",
    "voice_fingerprint_other_biometric": "fingerprint fingerprintTemplate voiceprint voice_print iris_code palmPrint irisTemplate fingerprint_data",
    "software_device_id": "deviceId device_id androidId android_id idfv udid pushToken device_uuid registration_id deviceFingerprint",
    "advertising_id": "idfa oaid gaid advertisingId aaid advertising_id IDFA",
    "social_account": "openid openId unionid unionId wechatId wx_openid weiboId union_id",
}
ZH = {
    "person_name": "姓名 真实姓名 收货人 联系人 联系人姓名 持卡人 收件人姓名 xm realName real_name contactName 紧急联系人 患者姓名 consigneeName",
    "postal_address": "地址 收货地址 详细地址 家庭住址 联系地址 通讯地址 现住址 addr dz shdz receiverAddress detail_address 户籍地址",
    "birth_date_age": "出生日期 生日 csrq birthday birth_day 出生年月日 birthDate",
    "phone_number": "手机号 手机号码 联系电话 电话 联系方式 收货人手机号 sjh lxdh mobile phone receiverMobile user_tel 绑定手机号 k3",
    "email_address": "邮箱 电子邮箱 email 邮箱地址 联系邮箱 dzyx_email",
    "national_id_number": "身份证号 身份证号码 证件号码 身份证 sfz sfzh sfzhm zjhm idCard id_card_no 法人身份证号 客户证件号",
    "passport_permit_number": "护照号 护照号码 护照 passportNo hzh 旅客护照号",
    "payment_card": "银行卡号 卡号 信用卡号 银行卡 yhkh bankCardNo bank_card 还款银行卡号",
    "hardware_id": "imei 设备IMEI 手机IMEI IMEI1 device_imei imei码",
    "mac_address": "MAC地址 mac 设备mac wifi_mac 路由器MAC地址 蓝牙地址",
    "ip_address": "IP地址 登录IP 客户端IP ip login_ip 注册IP 最近登录IP",
    "account_id": "用户ID 账号 会员号 用户编号 userId uid member_id 会员编号 用户id",
    "credential_secret": "密码 登录密码 支付密码 password token access_token 新密码 密钥 用户密码",
    "face_biometric": "人脸特征 人脸照片 人脸数据 faceId face_feature faceImg 人脸特征值 人脸图像",
    "voice_fingerprint_other_biometric": "指纹 指纹特征 声纹 虹膜 声纹特征 fingerprint 指纹模板 掌纹",
    "software_device_id": "设备ID 设备号 设备标识 deviceId android_id device_id 设备唯一标识 终端设备号",
    "advertising_id": "oaid OAID idfa 广告标识符 device_oaid 广告ID",
    "social_account": "微信号 openid unionId wx_open_id 微信openid 微信unionid",
}
NOISE = [
    ("status", lambda: rng.choice(["ok", "active", "PENDING", 0, 1])), ("createdAt", lambda: "2026-11-23T09:%02d:00Z" % rng.randint(0, 59)), ("page", lambda: rng.randint(1, 9)), ("orderNo", lambda: "20261123" + digits(10)), ("amount", lambda: round(rng.uniform(1, 999), 2)),
    ("requestId", uuid), ("timestamp", lambda: 1795000000000 + rng.randint(0, 99999999)), ("version", lambda: "%d.%d.%d" % (rng.randint(1, 9), rng.randint(0, 20), rng.randint(0, 9))), ("enabled", lambda: rng.random() < 0.5), ("currency", lambda: "CNY"), ("channel", lambda: "app"),
    ("备注", lambda: "请尽快发货"), ("数量", lambda: rng.randint(1, 9)), ("skuId", lambda: rng.randint(10**9, 10**10)), ("traceId", lambda: hexes(32)), ("lang", lambda: "zh-CN"), ("note", lambda: "leave at the door"),
]

entries = []


def escape(step):
    return str(step).replace("~", "~0").replace("/", "~1")


def strip(value, at, expect):
    """The value without its labels; the labels go to `expect`."""
    if isinstance(value, P):
        inner = strip(value.value, at, expect)
        expect.append({"category": value.category, "at": at})
        return inner
    if isinstance(value, dict):
        return {k: strip(v, f"{at}/{escape(k)}", expect) for k, v in value.items()}
    if isinstance(value, list):
        return [strip(v, f"{at}/{i}", expect) for i, v in enumerate(value)]
    return value


def add(lang, content_type, body, expect):
    entries.append({"id": f"{len(entries) + 1:04}", "lang": lang, "content_type": content_type, "body": body, "expect": expect})


def add_json(lang, value):
    expect = []
    plain = strip(value, "", expect)
    style = rng.randrange(4)
    text = json.dumps(plain, ensure_ascii=style == 0, indent=2 if style == 1 else None, separators=(",", ":") if style == 2 else None)
    add(lang, "application/json" if style else "application/json; charset=utf-8", text, expect)


def add_form(lang, pairs):
    expect, seen, parts = [], {}, []
    for name, value in pairs:
        count = seen.get(name, 0)
        seen[name] = count + 1
        at = f"/{escape(name)}" + (f"/{count}" if count else "")
        parts.append(quote_plus(name) + "=" + quote_plus(str(strip(value, at, expect))))
    add(lang, "application/x-www-form-urlencoded", "&".join(parts), expect)


def add_text(lang, *pieces):
    expect, parts = [], []
    for piece in pieces:
        parts.append(str(strip(piece, "", expect)))
    unique = [dict(t) for t in sorted({tuple(sorted(e.items())) for e in expect})]
    add(lang, "text/plain", "".join(parts), unique)


def made(category, zh):
    if category == "face_biometric" and rng.random() < 0.3:
        return P(category, vector())
    return P(category, MAKE[category](zh))


def generated():
    """Objects with telling and neutral names around generated values, in the shapes APIs have."""
    for zh in (True, False):
        names = ZH if zh else EN
        lang = "zh" if zh else "en"
        deck = [(c, k) for c, keys in names.items() for k in keys.split()]
        rng.shuffle(deck)
        while deck:
            fields = {}
            for _ in range(min(len(deck), rng.randint(1, 3))):
                category, key = deck.pop()
                if key not in fields:
                    fields[key] = made(category, zh)
            for key, noise in rng.sample(NOISE, rng.randint(1, 3)):
                fields.setdefault(key, noise())
            items = list(fields.items())
            rng.shuffle(items)
            fields = dict(items)
            shape = rng.randrange(6)
            flat = all(not isinstance(v, P) or not isinstance(v.value, list) for v in fields.values())
            if shape == 0 and flat:
                add_form(lang, list(fields.items()))
            elif shape == 1:
                add_json(lang, {"code": 0, "msg": "success", "data": fields})
            elif shape == 2:
                add_json(lang, {"result": {"items": [fields], "total": 1}})
            elif shape == 3:
                add_json(lang, [fields])
            else:
                add_json(lang, fields)


def places():
    for zh in (True, False):
        lang = "zh" if zh else "en"
        for _ in range(4):
            add_json(lang, {"location": {"lat": P("precise_location", latitude()), "lng": P("precise_location", longitude())}, "accuracy": rng.randint(5, 60)})
            add_json(lang, {"latitude": P("precise_location", str(latitude())), "longitude": P("precise_location", str(longitude())), "ts": 1795000000 + rng.randint(0, 999)})
        add_json(lang, {"type": "Feature", "geometry": {"type": "Point", "coordinates": [P("precise_location", longitude()), P("precise_location", latitude())]}})
        add_json(lang, {"gps": P("precise_location", f"{latitude()},{longitude()}")})
        add_form(lang, [("lat", P("precise_location", latitude())), ("lon", P("precise_location", longitude())), ("radius", 500)])
    add_json("zh", {"经度": P("precise_location", longitude()), "纬度": P("precise_location", latitude())})
    add_text("zh", "我现在的位置是", P("precise_location", "31.230416,121.473701"), "，请派车。")
    add_text("en", "Pin dropped at ", P("precise_location", "37.774929, -122.419416"), " by the driver.")


def texts():
    N, T, E, I, A = "person_name", "phone_number", "email_address", "national_id_number", "postal_address"
    for _ in range(4):
        add_text("zh", "请联系客服，电话", P(T, mobile()), "，工作时间9:00-18:00。")
        add_text("zh", "您的身份证", P(I, resident()), "已通过审核，订单号", "20261123" + digits(8), "。")
        add_text("zh", "收货人：", P(N, zh_name()), "\n手机号：", P(T, spaced(mobile())), "\n收货地址：", P(A, zh_address()))
        add_text("zh", "姓名：", P(N, zh_name()), "，邮箱", P(E, email()), "，银行卡号", P("payment_card", card()))
        add_text("zh", "设备IMEI:", P("hardware_id", imei()), " MAC地址", P("mac_address", mac()), " 登录IP ", P("ip_address", ipv4()))
        add_text("en", "Hi, this is support. Call me back on ", P(T, e164()), " or write to ", P(E, email()), ".")
        add_text("en", "Name: ", P(N, en_name()), "\nAddress: ", P(A, en_address()), "\nPhone: ", P(T, e164()))
        add_text("en", "Card ", P("payment_card", card()), " was declined for user from ", P("ip_address", ipv4()), ".")
        add_text("en", "SSN ", P(I, f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"), ", passport ", P("passport_permit_number", passport()), ".")
        add_json("zh", {"ticketId": "T" + digits(6), "content": P(T, f"客户来电，回电{mobile()}，谢谢")})
        add_json("en", {"subject": "callback", "message": P(E, f"Please write to {email()} before Friday.")})


def written():
    """Bodies written by hand after what shops, couriers, clinics, banks and device clouds send."""
    n, t, a = "person_name", "phone_number", "postal_address"
    add_json("zh", {"order": {"orderId": "E20261123" + digits(6), "consignee": P(n, "李思远"), "mobile": P(t, "13912345678"), "province": "浙江省", "city": "杭州市", "district": "西湖区", "address": P(a, "文三路138号2幢501室"), "goods": [{"name": "无线蓝牙耳机", "price": 199.0, "count": 1}]}})
    add_json("zh", {"shippingAddress": P(a, {"name": P(n, "王芳"), "phone": P(t, "15012345678"), "province": "广东省", "city": "深圳市", "detail": "科技园南区8栋"}), "remark": "放门口"})
    add_json("en", {"customer": {"name": P(n, "Anna Schmidt"), "email": P("email_address", "anna.schmidt@example.com"), "phone": P(t, "+49 30 12345678"), "address": P(a, {"street": "Hauptstrasse 5", "city": "Berlin", "zip": "10115", "country": "DE"})}, "items": [{"name": "Desk Lamp", "sku": "DL-100", "price": 39.9}]})
    add_json("en", {"name": P(n, {"title": "Ms", "first": "Emma", "last": "Wilson"}), "email": P("email_address", "emma.wilson@example.com"), "login": {"username": P("account_id", "crazyfrog91"), "password": P("credential_secret", "hunter22!x")}, "dob": P("birth_date_age", {"year": 1990, "month": 2, "day": 11})})
    add_json("zh", {"user": {"id": P("account_id", 88231), "name": P(n, "陈浩然"), "avatar": None}, "dept": {"id": 3, "name": "研发部"}, "company": {"name": "某某科技有限公司"}})
    add_json("zh", {"contacts": [{"name": P(n, "赵敏"), "tel": P(t, "010-12345678")}, {"name": P(n, "周强"), "tel": P(t, "0755-82345678")}]})
    add_json("en", {"patient": {"name": P(n, "Carlos Garcia"), "birthDate": P("birth_date_age", "1971-08-02")}, "ward": "B2", "bed": 14})
    add_json("en", {"device": {"model": "Pixel 9", "os": "Android 16", "imei": P("hardware_id", "356938035643809"), "android_id": P("software_device_id", "9774d56d682e549c"), "screen": "1080x2400"}, "ip": P("ip_address", "203.0.113.54")})
    add_json("zh", {"deviceInfo": {"brand": "HUAWEI", "phoneModel": "Mate 60", "oaid": P("advertising_id", uuid()), "mac": P("mac_address", "AA:BB:CC:11:22:33"), "osVersion": "4.2.0.120"}, "openid": P("social_account", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")})
    add_json("zh", {"手机号": P(t, "１３９１２３４５６７８"), "验证码": P("credential_secret", "482913")})
    add_json("en", {"otp": P("credential_secret", "739201"), "msisdn": P(t, "+4915112345678")})
    add_json("en", {"phones": [P(t, "+1 212-555-0143"), P(t, "+1 415-555-0199")], "emails": [P("email_address", "a.miller@example.org")]})
    add_json("zh", {"x": P(t, 13812345678), "y": 1380013800, "z": "138001380001"})
    add_form("zh", [("phone", P(t, "13812345678")), ("phone", P(t, "13912345679")), ("code", "zh")])
    add_form("en", [("username", P("account_id", "jsmith")), ("password", P("credential_secret", "correct horse")), ("remember", "1")])
    add_form("zh", [("user[name]", P(n, "林静")), ("user[mobile]", P(t, "18612345678")), ("page", "2")])
    add_json("zh", {"passengers": [{"passengerName": P(n, "欧阳娜娜"), "certType": "1", "certNo": P("national_id_number", resident()), "seatType": "二等座"}], "trainNo": "G1234"})
    add_json("zh", {"faceFeature": P("face_biometric", vector()), "score": 0.98, "faceCount": 1})
    add_json("en", {"face_embedding": P("face_biometric", vector()), "model_version": "10.0.1.22", "threshold": 0.6})
    add_json("en", {"driver": {"name": P(n, "Oliver Murphy"), "license": "unknown"}, "vehicle": {"name": "Model Y", "color": "white"}})
    add_json("en", {"payer": {"cardNumber": P("payment_card", "4111111111111111"), "expiry": "12/29", "cardHolderName": P(n, "Mary Brown")}, "amount": 1299})
    add_json("zh", {"bankCardNo": P("payment_card", luhn("622202100011223344")), "开户行": "工商银行", "户名": P(n, "刘洋")})
    add_json("en", {"session": {"accessToken": P("credential_secret", "eyJhbGciOiJIUzI1NiJ9.e30.abcDEF123"), "tokenType": "Bearer", "expiresIn": 3600}})
    add_json("zh", {"紧急联系人": {"姓名": P(n, "孙丽"), "关系": "配偶", "电话": P(t, "13712345678")}})
    add_json("en", {"shipTo": {"recipientName": P(n, "Sofia Rossi"), "addressLine1": P(a, "12 Via Roma"), "countryCode": "IT"}, "carrier": {"name": "DHL Express"}})
    add_json("en", {"members": [{"name": P(n, "Pierre Dupont"), "role": "owner", "userId": P("account_id", "u-77")}, {"name": P(n, "Lucia Novak"), "role": "viewer", "userId": P("account_id", "u-78")}], "team": {"name": "Platform"}})


def negatives():
    """A quarter of the set: what looks like personal data and is not."""
    zh = [
        {"orderNo": "13800138000", "流水号": "13912345678", "timestamp": 1795000000123}, {"phoneModel": "iPhone 15 Pro", "手机型号": "Mate 60", "mobileVersion": "8.0.1.20"}, {"身份证类型": "二代", "证件类型": "护照", "cardType": "debit"},
        {"商品名称": "王老吉凉茶", "品牌": "华为", "价格": 5.5, "库存": 100}, {"公司名称": "北京某某科技有限公司", "公司地址": "见官网", "统计": 12}, {"city": {"name": "石家庄"}, "province": {"name": "河北"}}, {"product": {"name": "马克杯", "id": 13812345678, "price": 39}},
        {"姓名": None, "手机号": "", "地址": "无", "生日": ""}, {"手机号": "138****5678", "身份证号": "110***********0021", "姓名": "张**"}, {"下载地址": "https://cdn.example.cn/app.apk", "图片地址": "https://cdn.example.cn/a.png"}, {"订单号": "202611231234567890", "物流单号": "773012345678901"},
        {"版本": "10.20.30.40", "固件版本": "1.2.3.4", "系统版本": "4.2.0.120"}, {"用户数": 1200, "手机销量": 13800, "电话会议": True}, {"验证码状态": "已发送", "密码强度": "高", "token数量": 512}, {"courseName": "高等数学", "教室": "教一301", "学分": 4}, {"菜单": [{"name": "用户管理", "path": "/user"}, {"name": "系统设置", "path": "/sys"}]},
        {"x": broken_resident(), "序号": 3}, {"编号": "110105" + digits(8), "批次号": digits(15)}, {"金额": 13800138000, "数量": 13912345678}, {"data": {"total": 13800138000, "pageSize": 20, "list": []}}, {"设备类型": "手机", "device": {"name": "客厅摄像头", "type": "camera"}}, {"收货方式": "自提", "地址类型": "家", "发票类型": "电子"},
        {"name": "智能手表", "sku": "W-1", "price": 899}, {"name": "杭州仓", "type": "warehouse"}, {"title": "王者归来", "category": "电影", "duration": 120}, {"出生地类型": "城市", "人脸数量": 2, "指纹状态": "未录入"}, {"healthCheck": "ok", "心跳间隔": 30}, {"店铺": {"name": "张记面馆", "营业时间": "9:00"}},
        {"微信支付": True, "payType": "wechat", "渠道": "支付宝小程序"}, {"sn": "SN13800138000", "sku": "6217001234567890"}, {"traceId": hexes(32), "spanId": hexes(16), "耗时": 23}, {"hash": hexes(64), "md5": hexes(32), "uuid": uuid()}, {"日期": "2026-11-23", "创建时间": "2026-11-23 10:20:30", "更新": 1795000000},
        {"合同编号": "HT20261123001", "条码": "6901234567892"}, {"经度": 0, "纬度": 0}, {"门店": {"lat": 31.2304, "lng": 121.4737, "name": "人民广场店"}}, {"评分": 4.8, "销量": "1.2万", "型号": "X-200"}, {"ip白名单": "0.0.0.0", "子网掩码": "255.255.255.0", "本机": "127.0.0.1"},
    ]
    en = [
        {"orderId": "4111111111111111", "trackingNumber": "13800138000", "invoiceNo": 202611230001}, {"version": "1.2.3.4", "firmware": "10.20.30.40", "userAgent": "Chrome/120.0.6099.109"}, {"product": {"name": "Running Shoes", "brand": "Acme", "price": 89.0}}, {"name": "Acme Blender", "price": 49, "sku": "AB-1"},
        {"phoneModel": "Pixel 9", "phoneCount": 2, "isPhoneVerified": True}, {"emailVerified": True, "emailTemplate": "welcome", "emailCount": 4}, {"addressType": "home", "walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7"}, {"cardType": "visa", "cardBrand": "Visa", "last4": "1111"},
        {"maxTokens": 1024, "totalTokens": 2048, "tokenType": "Bearer", "nextPageToken": "abc123def"}, {"passwordStrength": 3, "passwordExpired": False}, {"fileName": "report.pdf", "className": "UserService", "hostname": "web-01"}, {"id": uuid(), "etag": hexes(32), "size": 13800138000}, {"timestamp": 1795000000123, "duration": 12345678901, "seq": 13800138000},
        {"x": "4111111111111112", "y": "1234567890123456"}, {"server": {"host": "0.0.0.0", "port": 8080, "bind": "127.0.0.1"}}, {"subnet": "255.255.255.0", "cidr": "10.0.0.0/8", "dns": "8.8.8.8"}, {"city": {"name": "Charlotte"}, "country": "US"}, {"team": {"name": "Platform"}, "project": {"name": "Phoenix"}}, {"firstName": "", "lastName": None, "email": "N/A"},
        {"phone": "***", "password": "********", "ssn": "***-**-6789"}, {"lastLogin": "2026-11-23T09:00:00Z", "createdBy": "system"}, {"sha256": hexes(64), "commit": hexes(40)}, {"price": 1234.5678, "ratio": 0.123456, "scores": [1.25, 3.5]}, {"isbn": "9780306406157", "upc": "036000291452"}, {"interface": "eth0", "surface": "matte", "typeface": "Inter"},
        {"icons": ["icon@2x.png", "icon@3x.png"], "repo": "git@github.com:acme/app.git"}, {"package": "left-pad@1.3.0", "scope": "@acme/ui"}, {"country": "DE", "currency": "EUR", "timezone": "Europe/Berlin"}, {"company": {"name": "Miller & Sons Ltd", "vat": "n/a"}}, {"age": 3600, "maxAge": 86400, "cacheAge": 12}, {"macOS": "15.1", "machine": "x86_64"},
        {"latency": 12.5, "lat_ms": 3.2, "long_description": "none"}, {"event": {"name": "page_view", "category": "engagement"}}, {"user_count": 120, "active_users": 44}, {"healthCheck": "pass", "uptime": 13800138000}, {"deviceModel": "SM-G991B", "deviceType": "phone", "osVersion": "14"}, {"store": {"name": "Main Street Shop", "lat": 40.7128, "lng": -74.006}},
        {"certFingerprint": "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01"},
    ]
    for body in zh:
        add_json("zh", body)
    for body in en:
        add_json("en", body)
    for lang, text in [("zh", "订单号13800138000已发货，预计11月25日送达。"), ("zh", "版本10.20.30.40已发布，修复若干问题。"), ("zh", "本次共处理13912345678条记录，耗时12:30:45。"), ("en", "Order no. 13800138000 shipped on 2026-11-23."), ("en", "Release 10.20.30.40 fixes std::vec::Vec growth."), ("en", "Ticket 4111111111111111 closed; ref 5500000000000004."), ("zh", "会议时间：2026年11月23日 10:00，地点：三楼会议室")]:
        add_text(lang, text)
    add_form("en", [("q", "running shoes"), ("page", "2"), ("sort", "price"), ("token_type", "bearer")])
    add_form("zh", [("keyword", "手机壳"), ("price_min", "10"), ("orderNo", "13800138000")])


generated()
places()
texts()
written()
negatives()
for entry in entries:
    print(json.dumps(entry, ensure_ascii=False))
