//! What names mean: field names in English, Chinese and pinyin abbreviations, joined without separators and in lower case.
//!
//! Collected from the public schemas of shop, delivery, identity, device and account APIs. A name is matched by its longest
//! known ending, so `receiverMobile` means what `mobile` means and `phoneModel` means nothing.

use crate::model::Category::{self, *};

/// What a value must look like to be what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A person's name, one word or more.
    Name,
    /// A word that names a role; its value is a name only if it surely looks like one.
    Role,
    /// A login name, unless it surely looks like a person's name.
    Login,
    /// A shown name; a person's name if it surely looks like one.
    Shown,
    Address,
    Phone,
    /// A date, a day, a timestamp or a year.
    Date,
    Age,
    /// An identifier: one word or number.
    Id,
    /// An identifier with at least six characters, some of them digits.
    Serial,
    /// An official number: at least five digits, letters allowed.
    Official,
    /// Card numbers: 12 to 19 digits.
    Card,
    /// Bank accounts: at least six digits, letters allowed.
    Account,
    /// Hardware numbers of 14 to 17 digits.
    Digits15,
    /// Twelve hex digits.
    Mac,
    /// Any text that is no placeholder.
    Secret,
    /// A short code, text or number.
    Code,
    /// Anything but yes, no and nothing.
    Any,
    /// Templates, pictures and vectors of a body part.
    Biometric,
    /// Nothing by itself; value detectors lean on it.
    Hint,
}

/// Category, detector, shape, names.
pub(super) type Row = (Category, &'static str, Shape, &'static str);

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    (PersonName, "name_key", Shape::Name, "realname fullname firstname lastname middlename givenname familyname forename surname fname lname legalname maidenname truename
        birthname chinesename englishname cnname personname contactname contactsname receivername recipientname consigneename shiptoname billtoname cardholdername holdername
        accountholdername accountholder payeename payername beneficiaryname buyername sendername customername custname clientname patientname passengername guestname employeename
        empname staffname studentname teachername doctorname ownername applicantname insuredname guardianname parentname fathername mothername spousename childname drivername
        candidatename membername subscribername travelername travellername attendeename linkman linkmanname addressee consignee cardholder nameoncard xingming xm zsxm lxr lxrxm
        shouhuoren kehuxingming xing ming emergencycontactname signatory signername authorname delegatename namecn nameen namezh pinyinname
        姓名 真实姓名 名字 中文名 英文名 姓 名 联系人 收货人 收件人 寄件人 发件人 持卡人 开户人 户名 投保人 被保险人 被保人 受益人 申请人 患者 就诊人 乘客姓名 乘车人 入住人 购票人 紧急联系人 监护人 法定代表人 姓名拼音
        联系人姓名 收货人姓名 客户姓名 客户名 用户姓名 学生姓名 员工姓名 家长姓名 曾用名 领取人 取件人 提货人 签收人 办理人 经办人 负责人"),
    (PersonName, "name_key", Shape::Role, "contact contactperson contactpeople receiver recipient payee payer beneficiary passenger patient applicant guardian customer buyer owner
        insured driver guest attendee signer tenant employee student manager supervisor doctor teacher spouse father mother emergencycontact 业务员 经理 医生 老师 配偶 父亲 母亲 客户 员工 学生 司机 乘客 车主 业主 房东 租客 家长"),
    (AccountId, "account_key", Shape::Login, "username loginname login loginid account acct useraccount accountname loginaccount userlogin memberaccount yhm dlm zhanghao
        用户名 登录名 账号 帐号 用户账号 登录账号 会员账号 账户名"),
    (AccountId, "account_key", Shape::Id, "userid uid useruid useruuid userguid memberid membershipid customerid custid accountid acctid userno memberno membernumber customernumber customerno
        buyerid playerid gamerid accountuuid subscriberid personid patientid passengerid studentid employeeid employeeno staffid useridentifier ucid puid suid cuid externaluserid
        userpk yhid yhbh hyid hyh 用户id 用户编号 会员号 会员id 会员编号 会员卡号 用户标识 账户id 客户编号 客户号 学号 工号 员工编号"),
    (ProfileDisplay, "profile_key", Shape::Shown, "displayname screenname showname"),
    (ProfileDisplay, "profile_key", Shape::Any, "nickname nick nickn petname avatar avatarurl headimg headimgurl userpic profilepicture profilephoto signaturetext 昵称 用户昵称 头像 个性签名"),
    (Gender, "gender_key", Shape::Any, "gender sex xingbie xb 性别"),
    (BirthDateAge, "birth_key", Shape::Date, "dob birthdate birthday birth dateofbirth birthdt birthtime bday born borndate birthyear yearofbirth birthmonth csrq csny shengri
        出生日期 生日 出生年月 出生年月日 出生时间 出生年份 生辰"),
    (BirthDateAge, "birth_key", Shape::Age, "age userage 年龄 周岁"),
    (EmailAddress, "email_key", Shape::Hint, "email mail emailaddress mailaddress emailaddr useremail contactemail mailbox youxiang dzyj 邮箱 电子邮箱 邮件地址 电子邮件 邮箱地址 电邮"),
    (PhoneNumber, "phone_key", Shape::Phone, "phone phoneno phonenumber phonenum mobile mobileno mobilenumber mobilephone mobilenum tel telno telephone telephonenumber telephoneno telnum telnumber
        cell cellphone cellphonenumber cellno cellnumber handphone handphoneno msisdn contactno contactnumber contactphone contactmobile contacttel phonenr mobilenr landline fax faxno faxnumber
        homephone workphone callerid callernumber calleenumber whatsapp whatsappnumber linkphone linktel linkmobile sj sjh sjhm shouji shoujihao lxdh dh dhhm dianhua tel1 ph
        手机 手机号 手机号码 电话 电话号码 联系电话 联系手机 联系方式 固定电话 固话 座机 移动电话 传真 收货电话 主叫号码 被叫号码 主叫 被叫"),
    (PostalAddress, "address_key", Shape::Address, "address addr street streetname streetaddress streetaddr addressline addresslines addressline1 addressline2 addrline streetline
        homeaddress homeaddr shippingaddress deliveryaddress billingaddress mailingaddress postaladdress residentialaddress residenceaddress residence permanentaddress currentaddress addressdetail addrdetail detailaddress
        detailaddr detailedaddress fulladdress receiveraddress recvaddr consigneeaddress shiptoaddress billtoaddress useraddress contactaddress domicile formattedaddress houseaddress
        dz dizhi xxdz zz zhuzhi shdz lxdz jtzz jtdz hjdz 地址 住址 收货地址 详细地址 家庭住址 家庭地址 通讯地址 联系地址 户籍地址 户籍所在地 现住址 现居住地 居住地址 邮寄地址 寄件地址 收件地址 配送地址 送货地址 街道地址 门牌号 居住地 通信地址 住所"),
    (NationalIdNumber, "national_id_key", Shape::Official, "idcard idcardno idcardnumber idcardnum idcardcode idno idnum idnumber identitycard identitycardno identityno identitynumber identitycode nationalid nationalidnumber
        citizenid citizenidnumber certno certificateno certnumber certid idcertno certificatenumber credentialno residentid residentidnumber personalid personalidnumber governmentid governmentidnumber
        sfz sfzh sfzhm sfzhao zjh zjhm shenfenzheng ssn socialsecuritynumber socialsecurityno cpf taxid nino aadhaar nric nik curp dni 身份证 身份证号 身份证号码 身份证件号码 证件号 证件号码 公民身份号码 居民身份证 身份号码 身份证明号码"),
    (PassportPermitNumber, "passport_key", Shape::Official, "passport passportno passportnumber passportnum passportid hzh hzhm hkpermit hkmacaopermit travelpermit travelpermitno traveldocumentnumber
        taiwanpermit mtpno visano visanumber 护照 护照号 护照号码 港澳通行证 港澳通行证号 台胞证 台胞证号 回乡证 回乡证号 通行证号 通行证号码 签证号"),
    (IdDocumentImage, "id_image_key", Shape::Any, "idcardfront idcardback idcardimage idcardphoto idfront idback idcardfrontimage idcardbackimage passportimage passportphoto 身份证正面 身份证反面 身份证照片"),
    (VehicleLicenceNumber, "plate_key", Shape::Serial, "licenseplate licenceplate plateno platenumber platenum carno carnumber vehicleplate numberplate cph chepai chepaihao 车牌 车牌号 车牌号码"),
    (FaceBiometric, "face_key", Shape::Biometric, "face faceid facefeature facefeatures facetemplate faceimage facedata facetoken faceembedding facevector facephoto faceimg facepic facepicture facebase64 faceprint facescan
        faceencoding facedescriptor facemap facelandmarks facevideo facialfeature facialfeatures facialdata facialtemplate facialimage facialrecognition renlian rlxx rltz
        人脸 人脸特征 人脸照片 人脸图片 人脸图像 人脸数据 人脸识别 人脸模板 人脸信息 人脸特征值 面部特征 面部识别 面容 刷脸"),
    (VoiceFingerprintOtherBiometric, "biometric_key", Shape::Biometric, "fingerprint fingerprints fingerprintdata fingerprinttemplate fingerprintfeature fingerprintimage fingerprintid fingertemplate voiceprint voiceprintid voiceprintfeature
        voicefeature voiceid voicetemplate iris irisdata iristemplate iriscode irisfeature retina retinascan palmprint palmvein palmprintfeature fingervein gait gaitfeature biometric biometrics biometricdata biometrictemplate zhiwen shengwen
        指纹 指纹特征 指纹数据 指纹模板 指纹信息 声纹 声纹特征 声纹数据 虹膜 虹膜特征 虹膜数据 掌纹 掌静脉 指静脉 步态 生物特征 生物识别信息 耳廓"),
    (GeneticOmic, "genetic_key", Shape::Any, "dnasequence genome genomedata genotype dnaprofile 基因 基因数据 基因序列"),
    (SocialAccount, "social_key", Shape::Id, "openid unionid wechat wechatid wechatno weixin weixinid wx wxid wxopenid wxunionid wechatopenid wechatunionid qq qqno qqnumber qqid qqnum qqopenid weibo weiboid alipayid alipayuserid
        alipayaccount facebookid twitterid twitterhandle linkedinid telegramid instagramid instagramhandle lineid skypeid googleid appleid githubid dingtalkid douyinid 微信 微信号 微信id qq号 qq号码 微博 支付宝账号 支付宝 抖音号"),
    (CredentialSecret, "credential_key", Shape::Secret, "password passwd pwd userpassword userpwd loginpassword loginpwd newpassword oldpassword confirmpassword passwordconfirmation paypassword paypwd paymentpassword passphrase passcode secret secretkey
        clientsecret appsecret apisecret apikey accesskey accesskeyid accesskeysecret privatekey token accesstoken refreshtoken authtoken sessiontoken idtoken bearertoken usertoken logintoken jwt jwttoken authorization authkey sessionkey
        securityanswer secretanswer passwordhash hashedpassword pwdhash mima credential credentials recoverycode backupcode totpsecret 密码 登录密码 支付密码 交易密码 新密码 旧密码 口令 密钥 令牌 私钥 访问令牌"),
    (CredentialSecret, "credential_key", Shape::Code, "otp otpcode smscode verifycode verificationcode vercode vcode yzm dxyzm authcode captcha captchacode pin pinnumber userpin mfacode totp twofactorcode onetimepassword onetimecode smsverifycode phonecode emailcode validatecode
        验证码 短信验证码 校验码 动态码 动态口令 动态密码 手机验证码"),
    (HardwareId, "imei", Shape::Digits15, "imei imei1 imei2 imeicode imeinumber imeino deviceimei 设备imei"),
    (HardwareId, "meid", Shape::Serial, "meid"),
    (HardwareId, "imsi", Shape::Digits15, "imsi"),
    (HardwareId, "iccid", Shape::Serial, "iccid simserial simserialnumber simno"),
    (HardwareId, "serial_key", Shape::Serial, "serialnumber deviceserial deviceserialnumber deviceserialno devicesn hardwareid hardwareserial hwid machineid machinecode 设备序列号 机器码 硬件序列号"),
    (MacAddress, "mac_key", Shape::Mac, "mac macaddress macaddr wifimac btmac bluetoothmac bssid ethmac devicemac wlanmac routermac mac地址 蓝牙地址 物理地址 网卡地址"),
    (AdvertisingId, "advertising_key", Shape::Id, "idfa oaid gaid aaid adid advertisingid advertiserid adsid vaid googleadid googleadvertisingid caid amazonadid rdid 广告标识符 广告标识 广告id"),
    (SoftwareDeviceId, "device_key", Shape::Id, "deviceid devid deviceuuid deviceuid deviceguid devicecode deviceno devicenumber deviceidentifier uniquedeviceid udid androidid ssaid idfv identifierforvendor installationid installid
        pushtoken pushid registrationid jpushid jpushregistrationid fcmtoken apnstoken gcmtoken devicetoken devicefingerprint browserfingerprint clientdeviceid phoneid terminalid appinstanceid firebaseinstanceid sbid sbh
        设备id 设备号 设备标识 设备标识符 设备编号 设备唯一标识 设备码 终端标识 安卓id"),
    (IpAddress, "ip_key", Shape::Hint, "ip ipaddress ipaddr ipv clientip remoteip remoteaddr userip loginip sourceip srcip realip xforwardedfor xrealip peerip registerip regip lastip ip地址 登录ip 客户端ip 注册ip"),
    (CookieId, "cookie_key", Shape::Secret, "sid sessionid jsessionid phpsessid sessid connectsid cookieid visitorid"),
    (PreciseLocation, "location_key", Shape::Hint, "gps gpslocation coordinates coordinate coords coord latlng latlon lnglat lonlat latlong geolocation geopoint geo position location 经纬度 坐标 定位 位置 gps坐标"),
    (BankAccountNumber, "bank_account_key", Shape::Account, "bankaccount bankaccountno bankaccountnumber accountnumber accountno acctno acctnumber acctnum iban beneficiaryaccount payeeaccount payeraccount yhzh khzh 银行账号 银行账户 银行帐号 收款账号 付款账号 对公账号"),
    (PaymentCard, "card_key", Shape::Card, "cardnumber cardno cardnum bankcard bankcardno bankcardnumber bankcardnum creditcard creditcardno creditcardnumber creditcardnum debitcard debitcardno debitcardnumber ccnumber ccnum ccno paymentcard pan cardpan
        primaryaccountnumber yhk yhkh 银行卡 银行卡号 信用卡号 信用卡 借记卡号 储蓄卡号 卡号"),
    (PaymentCard, "card_code_key", Shape::Code, "cvv cvv2 cvc cvc2 cardcvv cardcvc cardsecuritycode cardverificationcode 安全码"),
    (CreditIncome, "income_key", Shape::Any, "salary annualincome monthlyincome creditscore 月收入 年收入 工资 薪资 信用分"),
    (HealthRecord, "health_key", Shape::Any, "diagnosis diagnoses medicalhistory medicalrecord medicalrecordno allergies bloodtype prescription chiefcomplaint 病历 病历号 诊断 诊断结果 病史 既往史 过敏史 血型 处方"),
    (WellnessMetric, "wellness_key", Shape::Any, "heartrate stepcount bloodpressure bloodoxygen bloodglucose bloodsugar spo2 bodyweight bodyheight bodyfat systolic diastolic 心率 步数 血压 血糖 血氧 体重 身高 体脂率"),
    (EthnicOrigin, "ethnic_key", Shape::Any, "ethnicity ethnicgroup ethnicorigin minzu 民族"),
    (BeliefPoliticsUnion, "belief_key", Shape::Any, "religion religiousbelief politicalstatus politicalaffiliation 宗教 宗教信仰 政治面貌"),
    (FamilyRelationship, "family_key", Shape::Any, "maritalstatus marriagestatus 婚姻状况 婚姻状态"),
    (SexualLifeOrientation, "orientation_key", Shape::Any, "sexualorientation 性取向"),
    (CriminalRecord, "criminal_key", Shape::Any, "criminalrecord criminalhistory 犯罪记录"),
];

/// Endings that would be read as something of [`ROWS`] and are not.
pub(super) const NOTHING: &str = "walletaddress contractaddress memoryaddress webaddress urladdress serveraddress hostaddress endpointaddress blockaddress apiaddress siteaddress networkaddress
    storeaddress shopaddress companyaddress officeaddress warehouseaddress branchaddress hoteladdress merchantaddress businessaddress bindaddress listenaddress baseaddress startaddress ipaddressrange
    lastlogin pagetoken nextpagetoken prevpagetoken continuationtoken synctoken cursortoken nexttoken maxtokens totaltokens prompttokens completiontokens inputtokens outputtokens tokens
    certfingerprint certificatefingerprint sslfingerprint keyfingerprint filefingerprint sshfingerprint contentfingerprint publickeyfingerprint tlsfingerprint requestfingerprint errorfingerprint stackfingerprint
    clientid appid productid orderid typeface fontface interface surface iface businesscard namecard simcard sdcard graphicscard videocard networkcard giftcard
    usernamelabel maxage minage averageage pageage cacheage useragent dataage accountage averageprice logaccount cellname tablecell batterycell excelcell fuelcell solarcell
    secretname passwordhint passwordrule passwordpolicy keyname imagelocation filelocation cameraposition scrollposition cursorposition elementposition jobposition tableposition textposition queueposition storelocation memorylocation cursorlocation windowposition
    网址 网站地址 下载地址 图片地址 接口地址 链接地址 钱包地址 合约地址 服务器地址 公司地址 门店地址 店铺地址 仓库地址 办公地址 视频地址 文件地址 商家地址 官网地址 域名地址 内存地址 商户地址 商品名 产品名 公司名 品牌名 文件名 项目名 类名 域名 店名 书名 歌名 片名 地名 校名 排名 签名 报名 课程名 应用名 表名 字段名 命名 设备名 品名 路名 榜名 标签名 群名 组名 部门名 城市名 药品名 药名 菜名 站名 昵称名
    性 同名 笔名4org 版权所有人";

/// Words that name a person, so that a bare `name` below or after them is theirs.
pub(super) const PERSON: &str = "actor user users customer client cust person people patient contact receiver recipient consignee sender addressee payee payer buyer owner employee emp staff student pupil teacher member guardian parent father mother
    mom dad child kid son daughter spouse wife husband sibling brother sister applicant passenger guest holder cardholder insured policyholder driver doctor nurse beneficiary candidate tenant subscriber friend traveler traveller participant attendee
    resident citizen individual human manager supervisor signer kyc personal identity applicantinfo author address addr shipping billing delivery shipto billto kin emergency visitor adopter donor voter borrower lender
    crew player shopper worker caregiver linkman me profile
    用户 客户 联系人 收货人 收件人 寄件人 发件人 患者 病人 员工 学生 教师 老师 医生 乘客 会员 监护人 申请人 家长 持卡人 投保人 被保险人 受益人 司机 车主 业主 居民 个人 旅客 住客 紧急联系人 子女 配偶 本人";

/// Words that name a thing or an organisation, so that a bare `name` or `address` there is nobody's.
pub(super) const THING: &str = "product goods good sku spu category brand company corp organization organisation org department dept division store shop merchant branch warehouse vendor supplier manufacturer city province country state region district
    county area town file folder directory attachment document project app application device model template event course book song game movie film album tag label role group team school university college hospital bank hotel restaurant plan package
    coupon campaign activity config configuration setting service server host cluster node image picture table column field param parameter attribute property variable function method class module component airport station flight currency
    language locale theme menu page article channel room pet vehicle car repo repository pipeline database db schema index queue topic bucket resource policy rule metric alert dashboard widget button layout font color colour icon plugin
    dependency library framework kernel os system platform browser environment env stage job workflow step queue type kind status level option feature material unit dish recipe ingredient drug medicine disease
    poi place venue landmark building stadium theater cinema museum park road bridge carrier operator network wifi printer camera sensor light gateway router machine robot protocol subject exam lesson chapter
    商品 产品 公司 企业 店铺 门店 商户 商家 部门 城市 省份 国家 地区 品牌 分类 类目 项目 设备 文件 课程 学校 医院 银行 酒店 餐厅 仓库 活动 优惠券 机构 组织 应用 车辆 供应商 车站 机场 药品";

/// Words that only wrap: what is around them counts.
pub(super) const WRAPPER: &str = "item data info information detail basic base result payload body request response content record list row value attribute entity object obj dto vo param params form input output entry node edge extra meta res req msg result results 信息 数据 资料 详情 基本信息 列表";

/// Names beside which a bare `name` is a thing's.
pub(super) const THING_TRAITS: &str = "price sku skuid stock quantity qty brand categoryid category currency unitprice amount barcode version filename size mimetype path extension discount rating inventory cost weight unit manufacturer model color
    colour population iso isocode capital ingredients genre isbn duration episodes color port replicas cpu memory 价格 单价 库存 数量 品牌 规格 金额 版本 型号";

/// Names whose numbers are neither telephone nor card numbers: what is ordered, counted, measured or drawn from a sequence.
pub(super) const SEQUENCE: &str = "order orderid orderno ordersn ordernumber ordercode trade tradeno transaction transactionid txn txnid invoice invoiceno receipt serial serialno seq seqno sequence sn tracking trackingno trackingnumber waybill waybillno express
    expressno logisticsno shipment shipmentid parcel sku skuid spu barcode isbn ean upc gtin timestamp time ts date datetime created updated createdat updatedat expires expiresat expiry amount price total subtotal count quantity qty size length len version build
    port offset page index idx hash md5 sha1 sha256 checksum digest signature sign nonce uuid guid trace traceid requestid reqid spanid correlationid batch batchno batchid ticket ticketno balance score duration width height flowno snowflake bizno outtradeno prepayid
    productid itemid goodsid articleid messageid msgid eventid taskid jobid logid recordid rowid commentid postid videoid threadid roomid groupid storeid shopid categoryid activityid couponid contractno contractid projectid fileid imageid
    uptime mem memory disk used free capacity rss elapsed latency bytes views likes followers revenue sales random seed revision rev epoch step 订单号 订单编号 订单 单号 流水号 交易号 交易流水号 编号 序号 序列号 时间 时间戳 日期 金额 价格 数量 总数 版本 版本号 条码 条形码 快递单号 运单号 物流单号 批次号 合同编号 发票号 发票号码 工单号 商品编号 货号";

/// Names whose dotted numbers are versions, not addresses.
pub(super) const VERSION: &str = "version ver build firmware fw sdk release rev revision appversion osversion sdkversion apiversion clientversion romversion kernel oid chapter section schema 版本 版本号 固件版本 系统版本 软件版本 客户端版本";

/// Names of machines' own addresses, which are nobody's.
pub(super) const MACHINERY: &str = "dns dns1 dns2 nameserver subnet subnetmask netmask mask cidr gateway serverip serveraddr serverhost server host upstream bind listen listenaddr backend backendip nodeip podip clusterip broadcast ntp proxyserver endpoint 子网掩码 网关 服务器ip";

/// Names under which an inherited meaning is kept: `phone: {number: …}`.
pub(super) const GENERIC: &str = "number no num value val id text content raw code data full original plain 号码 值 编号 内容";
