//! Names of persons: whether a text can be one, and whether it surely is one.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The commonest family names of China (the hundred that cover five of six people, and those that follow), then the compound ones.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由";
const COMPOUND: &[&str] = &[
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐", "长孙", "宇文", "夏侯", "端木", "南宫", "独孤", "轩辕", "百里",
    "西门",
];

/// Given names of the English-speaking world and Europe that are seldom anything else.
const GIVEN: &str = "james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony donald steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry
    justin scott brandon benjamin samuel gregory frank alexander raymond patrick jack dennis jerry tyler aaron jose adam nathan henry douglas zachary peter kyle walter ethan jeremy harold carl keith roger gerald christian terry sean arthur austin noah lawrence jesse joe
    bryan billy jordan albert dylan bruce willie gabriel alan juan logan wayne ralph roy eugene randy vincent russell louis philip bobby johnny bradley mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly
    emily donna michelle carol amanda melissa deborah stephanie rebecca laura sharon cynthia kathleen amy angela shirley anna brenda pamela emma nicole helen samantha katherine christine debra rachel carolyn janet catherine maria heather diane ruth julie olivia joyce
    virginia victoria kelly lauren christina joan evelyn judith megan andrea cheryl hannah jacqueline martha gloria teresa ann sara madison frances kathryn janice jean abigail alice julia judy sophia grace denise amber doris marilyn danielle beverly isabella theresa diana
    natalie brittany charlotte marie kayla alexis lori hans klaus jurgen stefan andreas wolfgang heike sabine anke lukas lena pierre francois jacques camille chloe giovanni luca marco giulia carlos luis miguel ana sofia lucia pedro joao fatima ahmed mohammed muhammad omar ali
    raj priya amit sunita yuki hiroshi kenji sakura oliver harry liam mia ava ella tom mike jane bob kate mark chris alex max simon lucy erik lars anders ingrid ivan olga natasha dmitri svetlana wei fang lei jing xiao ming";

/// Words that end the name of an organisation or a thing.
const ORGANISATION: &str = "ltd limited inc llc gmbh corp corporation co company plc ag sa srl bv hotel store shop restaurant bank university school hospital team group service services support
    system systems center centre department office app api user admin account test plan edition phone case shirt shoes cable set kit pack city street road park airport station
    solutions technologies labs studio media club foundation association administrator guest customer manager bot robot server widget product item default sample";
const ORGANISATION_ENDS: &str = "公司 集团 有限 酒店 宾馆 医院 学校 大学 学院 中学 小学 银行 餐厅 超市 中心 商店 商场 门店 店 局 厂 部 社 协会 科技 客服 用户 商家 管理员 系统 测试 平台 产品 版 型 款 路 街 区 市 省 县 杯 机 器 衣 鞋 包 袋 表 书 卡 券 线 灯 盒 壶 车 茶 酒 油 米 面 果 瓜 肉 鱼 奶 糖 饼 汤
    菜 饭 仓 站 港 湾 岛 楼 园";

static SINGLE: LazyLock<HashSet<char>> = LazyLock::new(|| SURNAMES.chars().collect());
/// So many of [`SURNAMES`] are common enough to tell a name that nothing else tells.
const COMMON: usize = 150;
static SINGLE_COMMON: LazyLock<HashSet<char>> = LazyLock::new(|| SURNAMES.chars().take(COMMON).collect());
static ORGANISATION_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| ORGANISATION.split_whitespace().collect());
static THING_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| THINGS.split_whitespace().collect());
static NOBODY: LazyLock<HashSet<&str>> = LazyLock::new(|| NO_NAMES.split('|').map(str::trim).collect());
static GIVEN_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| GIVEN.split_whitespace().collect());

/// Chinese ideographs as names use them.
pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{20000}'..='\u{2FA1F}' | '\u{3007}')
}

/// How many characters of a Chinese family name the text starts with.
pub(super) fn surname_chars(text: &str) -> Option<usize> {
    if COMPOUND.iter().any(|s| text.starts_with(s)) {
        return Some(2);
    }
    text.chars().next().filter(|c| SINGLE.contains(c)).map(|_| 1)
}

/// Whether the text can be a person's name, under a field that says it is.
pub(super) fn plausible(text: &str) -> bool {
    let text = text.trim();
    let count = text.chars().count();
    if count == 0 || count > 64 || NOBODY.contains(text.to_lowercase().as_str()) {
        return false;
    }
    if text.chars().all(|c| is_han(c) || matches!(c, '·' | '•' | '・' | '．')) {
        return count <= 4 && !organisation_end(text, count) || count <= 20 && text.contains(['·', '•', '・', '．']);
    }
    latin(text, 1) || text.chars().all(|c| is_han(c) || c == ' ') && count <= 5 || other_script(text) || mixed(text)
}

/// Whether the text is a person's name whatever its field is called.
pub(super) fn sure(text: &str) -> bool {
    let text = text.trim();
    let count = text.chars().count();
    if !(2..=40).contains(&count) || NOBODY.contains(text.to_lowercase().as_str()) {
        return false;
    }
    if text.chars().all(is_han) {
        let common = text.chars().next().is_some_and(|c| SINGLE_COMMON.contains(&c));
        let surname = surname_chars(text).filter(|s| *s > 1 || common).unwrap_or_default();
        return surname > 0 && (surname + 1..=surname + 2).contains(&count) && !organisation_end(text, count);
    }
    let first = text.split([' ', ',']).next().unwrap_or_default().to_lowercase();
    latin(text, 2) && text.split_whitespace().all(|w| w.chars().next().is_some_and(char::is_uppercase)) && GIVEN_NAMES.contains(first.as_str())
}

/// What fields for names hold when nobody is named, divided by bars.
const NO_NAMES: &str = "admin|administrator|root|system|test|user|guest|default|unknown|anonymous|null|none|demo|n/a|operator|nobody|superuser|robot|bot|api|service|string|first name|last name
    |full name|your name|name|test user|demo user|guest user|管理员|系统|测试|用户|游客|匿名|匿名用户|未知|无|暂无|客服|默认|超级管理员|本人|全部|其他|测试用户|机器人";

fn organisation_end(text: &str, count: usize) -> bool {
    // Three characters and less are too few for most organisations, and many given names end like a thing.
    count > 2 && ORGANISATION_ENDS.split_whitespace().any(|end| text.ends_with(end) && (end.chars().count() > 1 || count > 3)) || THING_WORDS.contains(text)
}

/// Words that start like a family name.
const THINGS: &str = "商品 公司 手机 电脑 白菜 黄瓜 毛巾 牛奶 石榴 金额 高级 时间 方案 成人 安全 全部 单价 管理 明细 华为 小米 车辆 路由 马克杯 毛巾被 牛仔裤 方便面 白衬衫 金戒指 高跟鞋 连衣裙 项目组 管理部 安全帽 向日葵 石家庄 连云港 马来西 温度计 路由器 麦当劳 时刻表 单车锁 高数 方形 金色 白色 黄色 红色 蓝色
    通用 常规 任意 单个 全国 全体 时尚 温馨 万能 高端 文件 明天 安卓 车厘子 黄金 白银 石油 洪水 水果 云南 江苏 江西 海南 河南 河北 安徽 广东 黄山 高清 金牌 钱包 毛衣 马甲 马桶 牛肉 鱼肉 花茶 白酒 黄酒 米饭 孔雀 熊猫 龙虾 向上 经典 经济 季度 年度 成功 成交 程序 程度 应用 应收 应付 支付 支出
    路线 路径 关闭 关联 关于 平均 平台 党员 项目 计划 计算机 商务 商城 商户 包装 包裹 华东 华北 华南 华中 方案一 标准 常用 常见问题 汇总 余额 段落 章节 顾客 连接";

/// One to five words of Latin letters, with what belongs to names: accents, hyphens, apostrophes, initials.
fn latin(text: &str, least: usize) -> bool {
    let words: Vec<&str> = text.split([' ', ',']).filter(|w| !w.is_empty()).collect();
    let is_word = |w: &&str| {
        let letters = w.chars().filter(|c| c.is_alphabetic()).count();
        letters > 0
            && w.chars().all(|c| {
                c.is_alphabetic() && (c.is_ascii() || c < '\u{250}' || ('\u{1E00}'..'\u{1F00}').contains(&c)) || matches!(c, '-' | '\'' | '\u{2019}' | '.')
            })
            && w.chars().count() <= 24
    };
    (least..=5).contains(&words.len())
        && words.iter().all(is_word)
        && words.iter().any(|w| w.chars().filter(|c| c.is_alphabetic()).count() > 1)
        && !words.iter().any(|w| ORGANISATION_WORDS.contains(w.trim_end_matches('.').to_lowercase().as_str()))
        && text.chars().filter(|c| c.is_alphabetic()).count() >= 2
}

/// Names in kana, hangul, Cyrillic, Arabic and others: letters and blanks only.
fn other_script(text: &str) -> bool {
    text.chars().count() <= 40 && text.chars().all(|c| c.is_alphabetic() && c >= '\u{370}' || c == ' ') && text.chars().any(|c| !is_han(c) && c >= '\u{370}')
}

/// `张伟 (David)`, `李Amy`: few characters of both kinds.
fn mixed(text: &str) -> bool {
    text.chars().count() <= 24
        && text.chars().any(is_han)
        && surname_chars(text).is_some()
        && text.chars().all(|c| is_han(c) || c.is_ascii_alphabetic() || " ()（）".contains(c))
}

/// How long a Chinese name at the start of `text` is, in bytes: after a label, up to what ends a name.
pub(super) fn leading(text: &str) -> Option<usize> {
    let run: Vec<(usize, char)> = text.char_indices().take_while(|(_, c)| is_han(*c) || *c == '·').take(12).collect();
    let run_text: String = run.iter().map(|(_, c)| *c).collect();
    let surname = surname_chars(&run_text)?;
    let ends = |count: usize| run.get(count).map_or_else(|| run.last().map_or(0, |(at, c)| at + c.len_utf8()), |(at, _)| *at);
    if run.len() <= surname + 2 {
        let whole = run_text.as_str();
        return (run.len() > surname && plausible(whole)).then(|| ends(run.len()));
    }
    // Chinese goes on without a blank: the name ends where a word starts that follows names.
    const FOLLOWS: &[&str] = &[
        "手机", "电话", "联系", "身份", "地址", "邮箱", "性别", "出生", "住址", "先生", "女士", "同学", "老师", "经理", "医生", "收", "的", "在", "是", "于",
        "已", "和", "与", "，", "、", "您", "请",
    ];
    [surname + 2, surname + 1]
        .into_iter()
        .find(|count| run.get(*count).is_some_and(|(at, _)| text.get(*at..).is_some_and(|rest| FOLLOWS.iter().any(|f| rest.starts_with(f)))))
        .map(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_two_to_four_characters_or_a_few_words() {
        for name in [
            "张三",
            "欧阳娜娜",
            "阿卜杜拉·买买提",
            "John Smith",
            "Zoë",
            "O'Brien",
            "Mary-Jane van der Berg",
            "zhang wei",
            "山田太郎",
            "Иван Петров",
            "Smith, John",
        ] {
            assert!(plausible(name), "{name}");
        }
        for other in ["admin", "user_123", "管理员", "上海某某科技有限公司", "Acme Ltd", "a1", "", "https://x", "John Smith 3"] {
            assert!(!plausible(other), "{other}");
        }
    }

    #[test]
    fn a_sure_name_starts_with_a_known_one() {
        assert!(sure("张三丰") && sure("John Smith") && sure("欧阳娜娜"));
        for other in ["马克杯", "华为", "石家庄", "Running Shoes", "Acme Widget", "login", "张"] {
            assert!(!sure(other), "{other}");
        }
    }

    #[test]
    fn a_name_ends_where_the_next_word_starts() {
        assert_eq!(leading("张三，电话"), Some(6));
        assert_eq!(leading("李小明手机号138"), Some(9));
        assert_eq!(leading("桌子很大"), None);
    }
}
