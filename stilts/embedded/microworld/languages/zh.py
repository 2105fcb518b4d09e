"""Chinese in simplified characters, cut into words as UD GSD cuts them. Under negation things stand bare."""

from stilts.embedded.microworld.grammar import Language, table

_THINGS = """
flower 朵 花; rose 朵 玫瑰; red_rose 朵 红/ADJ 玫瑰; tulip 朵 郁金香; white_tulip 朵 白/ADJ 郁金香
fruit 个 水果; apple 个 苹果; green_apple 个 绿/ADJ 苹果; pear 个 梨; yellow_pear 个 黄/ADJ 梨
animal 只 动物; dog 只 狗; black_dog 只 黑/ADJ 狗; cat 只 猫; white_cat 只 白/ADJ 猫; horse 匹 马
instrument 件 乐器; guitar 把 吉他; old_guitar 把 旧/ADJ 吉他; violin 把 小提琴
new_violin 把 新/ADJ 小提琴; flute 支 长笛; book 本 书; novel 本 小说; dictionary 本 词典
old_dictionary 本 旧/ADJ 词典; tool 件 工具; hammer 把 锤子; new_hammer 把 新/ADJ 锤子; saw 把 锯子
toy 件 玩具; doll 个 娃娃; ball 个 球; big_ball 个 大/ADJ 球
"""


def _counted(row: str) -> str:
    """`rose 朵 玫瑰` as a row of a table: bare, and counted with its measure word."""
    concept, measure, thing = row.strip().split(" ", 2)
    return f"{concept} | {thing} | 一/NUM {measure}/NOUN [{thing}]"


WORDS = {
    **table(
        "person",
        forms="nom",
        rows="""
        anna | 安娜; maria | 玛丽亚; laura | 劳拉; sofia | 索菲亚; clara | 克拉拉; nina | 尼娜
        julia | 朱莉娅; elena | 埃琳娜; diana | 戴安娜; vera | 薇拉; emma | 艾玛; lisa | 丽莎
        nora | 诺拉; paula | 保拉; irina | 伊琳娜; sara | 萨拉; peter | 彼得; martin | 马丁
        david | 大卫; daniel | 丹尼尔; robert | 罗伯特; thomas | 托马斯; adam | 亚当; simon | 西蒙
        victor | 维克托; oscar | 奥斯卡; leon | 莱昂; felix | 费利克斯; anton | 安东; max | 马克斯
        edgar | 埃德加; conrad | 康拉德
        """,
        patterns={"to": "向/ADP {}"},
    ),
    **table(
        "surname",
        forms="nom",
        rows="""
        rossi | 罗西; moreno | 莫雷诺; romano | 罗马诺; marino | 马里诺; conti | 孔蒂; sato | 佐藤
        ito | 伊藤; bruni | 布鲁尼; franco | 弗朗哥; kato | 加藤; russo | 鲁索; ricci | 里奇
        mori | 森; navarro | 纳瓦罗; nakano | 中野; longo | 隆戈
        """,
    ),
    **table("pronoun", forms="nom", rows="she | 她; he | 他"),
    **table(
        "city",
        forms="nom",
        rows="""
        paris | 巴黎; rome | 罗马; madrid | 马德里; berlin | 柏林; vienna | 维也纳; lisbon | 里斯本
        tokyo | 东京; cairo | 开罗; moscow | 莫斯科; toronto | 多伦多; lima | 利马; oslo | 奥斯陆
        new_york | 纽约; delhi | 德里; lyon | 里昂; milan | 米兰; barcelona | 巴塞罗那
        munich | 慕尼黑; salzburg | 萨尔茨堡; porto | 波尔图; osaka | 大阪; montreal | 蒙特利尔
        bergen | 卑尔根; los_angeles | 洛杉矶
        """,
        patterns={"in": "在/ADP {}"},
    ),
    **table(
        "country",
        forms="nom",
        rows="""
        france | 法国; italy | 意大利; spain | 西班牙; germany | 德国; austria | 奥地利
        portugal | 葡萄牙; japan | 日本; egypt | 埃及; russia | 俄罗斯; canada | 加拿大
        peru | 秘鲁; norway | 挪威; india | 印度; america | 美国
        """,
    ),
    **table(
        "org",
        forms="nom",
        rows="""
        norvik | 诺维克 公司/NOUN; orbitel | 奥比特尔 公司/NOUN; lumena | 卢梅纳 公司/NOUN
        vectora | 维克托拉 公司/NOUN; alpina_group | 阿尔皮纳 集团/NOUN; polaris | 波拉里斯 公司/NOUN
        zenta | 森塔 公司/NOUN; corvida | 科尔维达 公司/NOUN; tavira_air | 塔维拉 航空/NOUN 公司/NOUN
        delfina | 德尔菲纳 公司/NOUN; nimbus | 宁布斯 公司/NOUN; altera | 阿尔特拉 公司/NOUN
        brista_group | 布里斯塔 集团/NOUN; solveta | 索尔维塔 公司/NOUN; kestra | 凯斯特拉 公司/NOUN
        marvena | 马尔韦纳 公司/NOUN
        """,
        patterns={"in": "在/ADP {}"},
    ),
    **table(
        "job",
        forms="nom",
        rows="""
        doctor | 医生; teacher | 教师; lawyer | 律师; engineer | 工程师; journalist | 记者; cook | 厨师
        baker | 面包师; pilot | 飞行员; architect | 建筑师; painter | 画家; singer | 歌手
        pharmacist | 药剂师; surgeon | 外科/NOUN 医生; musician | 音乐家; pianist | 钢琴家
        violinist | 小提琴家; writer | 作家; poet | 诗人; novelist | 小说家
        """,
    ),
    **table(
        "thing",
        forms="bare | acc",
        rows="\n".join(_counted(row) for row in _THINGS.strip().replace("\n", ";").split(";")),
    ),
    **table(
        "venue",
        forms="nom",
        rows="""
        museum | 博物馆; park | 公园; library | 图书馆; restaurant | 餐厅; station | 火车站
        theatre | 剧院; market | 市场; school | 学校
        """,
        patterns={"in": "在/ADP {}"},
    ),
    **table(
        "event",
        forms="to",
        rows="""
        concert | 听/VERB [音乐会]; wedding | 参加/VERB [婚礼]; party | 参加/VERB [聚会]
        dinner | 参加/VERB [晚宴]; exhibition | 参观/VERB [展览]; meeting | 参加/VERB [会议]
        """,
    ),
    **table(
        "day",
        forms="nom",
        rows="""
        monday | 星期一; tuesday | 星期二; wednesday | 星期三; thursday | 星期四; friday | 星期五
        saturday | 星期六; sunday | 星期日; yesterday | 昨天; today | 今天
        """,
    ),
}

_WHEN = "是/AUX 什么/PRON 时候/NOUN"

TEMPLATES = {
    "lives_in.say": "{agent.nom} 住/VERB {place.in}",
    "lives_in.turn": "{agent.nom} 的/PART 家/NOUN 在/VERB {place.nom}",
    "lives_in.deny": "{agent.nom} 不/ADV 住/VERB {place.in}",
    "lives_in.ask_agent": "谁/PRON 住/VERB {place.in}",
    "lives_in.ask_place": "{agent.nom} 住/VERB 在/ADP 哪里/PRON",
    "works_as.say": "{agent.nom} 是/AUX 一/NUM 名/NOUN {job.nom}",
    "works_as.turn": "{agent.nom} 的/PART 职业/NOUN 是/AUX {job.nom}",
    "works_as.deny": "{agent.nom} 不/ADV 是/AUX {job.nom}",
    "works_as.ask_agent": "谁/PRON 是/AUX {job.nom}",
    "works_as.ask_job": "{agent.nom} 的/PART 职业/NOUN 是/AUX 什么/PRON",
    "works_for.say": "{agent.nom} {org.in} 工作/VERB",
    "works_for.turn": "{agent.nom} 是/AUX {org.nom} 的/PART 员工/NOUN",
    "works_for.deny": "{agent.nom} 不/ADV {org.in} 工作/VERB",
    "works_for.ask_agent": "谁/PRON {org.in} 工作/VERB",
    "works_for.ask_org": "{agent.nom} 在/ADP 哪/PRON 家/NOUN 公司/NOUN 工作/VERB",
    "born_in.say": "{agent.nom} {year.nom?} {place.in?} 出生/VERB",
    "born_in.front": "{year.nom} {agent.nom} {place.in?} 出生/VERB",
    "born_in.turn": "{agent.nom} {year.nom?} {place.in?} 来到/VERB 人世/NOUN",
    "born_in.deny": "{agent.nom} 不/ADV 是/AUX {year.nom?} {place.in?} 出生/VERB 的/PART",
    "born_in.ask_agent": "谁/PRON 是/AUX {year.nom?} {place.in?} 出生/VERB 的/PART",
    "born_in.ask_place": "{agent.nom} {year.nom?} 是/AUX 在/ADP 哪里/PRON 出生/VERB 的/PART",
    "born_in.ask_year": "{agent.nom} 是/AUX 哪/PRON 一/NUM 年/NOUN {place.in?} 出生/VERB 的/PART",
    "founded.say": "{agent.nom} {year.nom?} 创立/VERB 了/AUX {org.nom}",
    "founded.front": "{year.nom} {agent.nom} 创立/VERB 了/AUX {org.nom}",
    "founded.turn": "{org.nom} 由/VERB {agent.nom} {year.at?} 创立/VERB",
    "founded.deny": "{agent.nom} {year.nom?} 没有/ADV 创立/VERB {org.nom}",
    "founded.ask_agent": "谁/PRON {year.nom?} 创立/VERB 了/AUX {org.nom}",
    "founded.ask_org": "{agent.nom} {year.nom?} 创立/VERB 了/AUX 哪/PRON 家/NOUN 公司/NOUN",
    "founded.ask_year": "{agent.nom} 是/AUX 哪/PRON 一/NUM 年/NOUN 创立/VERB {org.nom} 的/PART",
    "older_than.say": "{agent.nom} 比/ADP {patient.nom} 年长/ADJ",
    "older_than.turn": "{patient.nom} 比/ADP {agent.nom} 年轻/ADJ",
    "older_than.deny": "{agent.nom} 并/ADV 不/ADV 比/ADP {patient.nom} 年长/ADJ",
    "older_than.ask_agent": "谁/PRON 比/ADP {patient.nom} 年长/ADJ",
    "older_than.ask_patient": "谁/PRON 比/ADP {agent.nom} 年轻/ADJ",
    "parent_of.say": "{agent.nom} 是/AUX {patient.nom} 的/PART (agent|m=父亲|f=母亲)/NOUN",
    "parent_of.turn": "{patient.nom} 是/AUX {agent.nom} 的/PART (patient|m=儿子|f=女儿)/NOUN",
    "parent_of.deny": "{agent.nom} 不/ADV 是/AUX {patient.nom} 的/PART (agent|m=父亲|f=母亲)/NOUN",
    "parent_of.ask_agent": "谁/PRON 是/AUX {patient.nom} 的/PART (agent|m=父亲|f=母亲)/NOUN",
    "parent_of.ask_patient": "谁/PRON 是/AUX {agent.nom} 的/PART (patient|m=儿子|f=女儿)/NOUN",
    "in_country.say": "{city.nom} 是/AUX {country.nom} 的/PART 一/NUM 座/NOUN 城市/NOUN",
    "in_country.turn": "{city.nom} 位/VERB 于/VERB {country.nom}",
    "in_country.deny": "{city.nom} 不/ADV 是/AUX {country.nom} 的/PART 城市/NOUN",
    "in_country.ask_city": "哪/PRON 座/NOUN 城市/NOUN 位/VERB 于/VERB {country.nom}",
    "in_country.ask_country": "{city.nom} 位/VERB 于/VERB 哪/PRON 个/NOUN 国家/NOUN",
    "bought.say": "{agent.nom} {time.nom?} {source.to?} 买/VERB 了/AUX {theme.acc}",
    "bought.front": "{time.nom} {agent.nom} {source.to?} 买/VERB 了/AUX {theme.acc}",
    "bought.turn": "{source.nom} {time.nom?} 卖/VERB 给/VERB 了/AUX {agent.nom} {theme.acc}",
    "bought.deny": "{agent.nom} {time.nom?} 没有/ADV {source.to?} 买/VERB {theme.bare}",
    "bought.ask_agent": "谁/PRON {time.nom?} {source.to?} 买/VERB 了/AUX {theme.acc}",
    "bought.ask_theme": "{agent.nom} {time.nom?} {source.to?} 买/VERB 了/AUX 什么/PRON",
    "bought.ask_source": "{agent.nom} {time.nom?} 向/ADP 谁/PRON 买/VERB 了/AUX {theme.acc}",
    "bought.ask_time": f"{{agent.nom}} {_WHEN} {{source.to?}} 买/VERB {{theme.bare}} 的/PART",
    "gave.say": "{agent.nom} {time.nom?} 送/VERB 给/VERB 了/AUX {recipient.nom} {theme.acc}",
    "gave.front": "{time.nom} {agent.nom} 送/VERB 给/VERB 了/AUX {recipient.nom} {theme.acc}",
    "gave.turn": "{recipient.nom} {time.nom?} 收到/VERB 了/AUX {agent.nom} 送/VERB 的/PART {theme.acc}",
    "gave.deny": "{agent.nom} {time.nom?} 没有/ADV 送/VERB {theme.bare} 给/VERB {recipient.nom}",
    "gave.ask_agent": "谁/PRON {time.nom?} 送/VERB 给/VERB 了/AUX {recipient.nom} {theme.acc}",
    "gave.ask_theme": "{agent.nom} {time.nom?} 送/VERB 给/VERB 了/AUX {recipient.nom} 什么/PRON",
    "gave.ask_recipient": "{agent.nom} {time.nom?} 送/VERB 给/VERB 了/AUX 谁/PRON {theme.acc}",
    "gave.ask_time": f"{{agent.nom}} {_WHEN} 送/VERB {{theme.bare}} 给/VERB {{recipient.nom}} 的/PART",
    "met.say": "{agent.nom} {time.nom?} {venue.in?} 跟/ADP {patient.nom} 见/VERB 了/AUX 面/NOUN",
    "met.front": "{time.nom} {agent.nom} {venue.in?} 跟/ADP {patient.nom} 见/VERB 了/AUX 面/NOUN",
    "met.turn": "{patient.nom} {time.nom?} {venue.in?} 跟/ADP {agent.nom} 见/VERB 了/AUX 面/NOUN",
    "met.deny": "{agent.nom} {time.nom?} 没有/ADV {venue.in?} 跟/ADP {patient.nom} 见面/VERB",
    "met.ask_agent": "谁/PRON {time.nom?} {venue.in?} 跟/ADP {patient.nom} 见/VERB 了/AUX 面/NOUN",
    "met.ask_patient": "{agent.nom} {time.nom?} {venue.in?} 跟/ADP 谁/PRON 见/VERB 了/AUX 面/NOUN",
    "met.ask_venue": "{agent.nom} {time.nom?} 是/AUX 在/ADP 哪里/PRON 跟/ADP {patient.nom} 见面/VERB 的/PART",
    "met.ask_time": f"{{agent.nom}} {_WHEN} {{venue.in?}} 跟/ADP {{patient.nom}} 见面/VERB 的/PART",
    "helped.say": "{agent.nom} {time.nom?} {venue.in?} 帮助/VERB 了/AUX {patient.nom}",
    "helped.front": "{time.nom} {agent.nom} {venue.in?} 帮助/VERB 了/AUX {patient.nom}",
    "helped.turn": "{patient.nom} {time.nom?} {venue.in?} 得到/VERB 了/AUX {agent.nom} 的/PART 帮助/NOUN",
    "helped.deny": "{agent.nom} {time.nom?} 没有/ADV {venue.in?} 帮助/VERB {patient.nom}",
    "helped.ask_agent": "谁/PRON {time.nom?} {venue.in?} 帮助/VERB 了/AUX {patient.nom}",
    "helped.ask_patient": "{agent.nom} {time.nom?} {venue.in?} 帮助/VERB 了/AUX 谁/PRON",
    "helped.ask_venue": "{agent.nom} {time.nom?} 是/AUX 在/ADP 哪里/PRON 帮助/VERB {patient.nom} 的/PART",
    "helped.ask_time": f"{{agent.nom}} {_WHEN} {{venue.in?}} 帮助/VERB {{patient.nom}} 的/PART",
    "called.say": "{agent.nom} {time.nom?} 给/ADP {patient.nom} 打/VERB 了/AUX 电话/NOUN",
    "called.front": "{time.nom} {agent.nom} 给/ADP {patient.nom} 打/VERB 了/AUX 电话/NOUN",
    "called.turn": "{patient.nom} {time.nom?} 接到/VERB 了/AUX {agent.nom} 的/PART 电话/NOUN",
    "called.deny": "{agent.nom} {time.nom?} 没有/ADV 给/ADP {patient.nom} 打/VERB 电话/NOUN",
    "called.ask_agent": "谁/PRON {time.nom?} 给/ADP {patient.nom} 打/VERB 了/AUX 电话/NOUN",
    "called.ask_patient": "{agent.nom} {time.nom?} 给/ADP 谁/PRON 打/VERB 了/AUX 电话/NOUN",
    "called.ask_time": f"{{agent.nom}} {_WHEN} 给/ADP {{patient.nom}} 打/VERB 电话/NOUN 的/PART",
    "invited.say": "{agent.nom} 邀请/VERB 了/AUX {patient.nom} 去/VERB {event.to}",
    "invited.turn": "{patient.nom} 收到/VERB 了/AUX {agent.nom} 请/VERB (patient|m=他|f=她)/PRON 去/VERB "
    "{event.to} 的/PART 邀请/NOUN",
    "invited.deny": "{agent.nom} 没有/ADV 邀请/VERB {patient.nom} 去/VERB {event.to}",
    "invited.ask_agent": "谁/PRON 邀请/VERB 了/AUX {patient.nom} 去/VERB {event.to}",
    "invited.ask_patient": "{agent.nom} 邀请/VERB 了/AUX 谁/PRON 去/VERB {event.to}",
    "invited.ask_event": "{agent.nom} 邀请/VERB 了/AUX {patient.nom} 去/VERB 参加/VERB 什么/PRON 活动/NOUN",
    "travelled_to.say": "{agent.nom} {time.nom?} 去/VERB {place.nom} 旅行/VERB 了/PART",
    "travelled_to.front": "{time.nom} {agent.nom} 去/VERB {place.nom} 旅行/VERB 了/PART",
    "travelled_to.turn": "{agent.nom} {time.nom?} 进行/VERB 了/AUX 一/NUM 次/NOUN {place.nom} "
    "之/PART 旅/NOUN",
    "travelled_to.deny": "{agent.nom} {time.nom?} 没有/ADV 去/VERB {place.nom} 旅行/VERB",
    "travelled_to.ask_agent": "谁/PRON {time.nom?} 去/VERB {place.nom} 旅行/VERB 了/PART",
    "travelled_to.ask_place": "{agent.nom} {time.nom?} 去/VERB 哪里/PRON 旅行/VERB 了/PART",
    "travelled_to.ask_time": f"{{agent.nom}} {_WHEN} 去/VERB {{place.nom}} 旅行/VERB 的/PART",
}

LANGUAGE = Language(
    code="zh",
    name="Chinese",
    words=WORDS,
    templates=TEMPLATES,
    years={"nom": "{} 年/NOUN", "at": "于/ADP {} 年/NOUN"},
    joins={"and": "{first} ，/PUNCT {second}", "but": "{first} ，/PUNCT 但是/ADV {second}"},
    stop="。",
    question=("", "？"),
    spaces=False,
    full_name="dot",
    entity_tokens="characters",
)
