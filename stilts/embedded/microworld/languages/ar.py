"""Arabic: verb first, agreeing with its subject; after "who" it stays masculine.

Pronouns are dropped, but where the sentence would then be read otherwise. No verb has a bare person for its
object: two names in a row would read as one.

The indefinite accusative is written with its tanwin (كتابًا), where a word has one. Only what a reader needs
is vocalised besides: the passive وُلد, and the short vowel that a jussive verb ends in (لم يشترِ).
"""

from stilts.embedded.microworld.grammar import Language, table

WORDS = {
    **table(
        "person",
        forms="nom",
        rows="""
        anna | آنا; maria | ماريا; laura | لورا; sofia | صوفيا; clara | كلارا; nina | نينا
        julia | جوليا; elena | إيلينا; diana | ديانا; vera | فيرا; emma | إيما; lisa | ليزا
        nora | نورا; paula | باولا; irina | إيرينا; sara | سارة; peter | بيتر; martin | مارتن
        david | ديفيد; daniel | دانيال; robert | روبرت; thomas | توماس; adam | آدم; simon | سيمون
        victor | فيكتور; oscar | أوسكار; leon | ليون; felix | فيليكس; anton | أنطون; max | ماكس
        edgar | إدغار; conrad | كونراد
        """,
        patterns={
            "pro": "-",
            "from": "من/ADP {}",
            "to": "إلى/ADP {}",
            "by": "على/ADP يد/NOUN [{}]",
            "with": "ب[{}]",
        },
    ),
    **table(
        "surname",
        forms="nom",
        rows="""
        rossi | روسي; moreno | مورينو; romano | رومانو; marino | مارينو; conti | كونتي; sato | ساتو
        ito | إيتو; bruni | بروني; franco | فرانكو; kato | كاتو; russo | روسو; ricci | ريتشي
        mori | موري; navarro | نافارو; nakano | ناكانو; longo | لونغو
        """,
        patterns={"pro": "-"},
    ),
    **table("pronoun", forms="nom | pro", rows="she | - | هي; he | - | هو"),
    **table(
        "city",
        forms="nom",
        rows="""
        paris | باريس; rome | روما; madrid | مدريد; berlin | برلين; vienna | فيينا; lisbon | لشبونة
        tokyo | طوكيو; cairo | القاهرة; moscow | موسكو; toronto | تورونتو; lima | ليما; oslo | أوسلو
        new_york | نيويورك; delhi | دلهي; lyon | ليون; milan | ميلانو; barcelona | برشلونة
        munich | ميونخ; salzburg | سالزبورغ; porto | بورتو; osaka | أوساكا; montreal | مونتريال
        bergen | بيرغن; los_angeles | لوس أنجلوس
        """,
        patterns={"in": "في/ADP {}", "to": "إلى/ADP {}"},
    ),
    **table(
        "country",
        forms="nom",
        rows="""
        france | فرنسا; italy | إيطاليا; spain | إسبانيا; germany | ألمانيا; austria | النمسا
        portugal | البرتغال; japan | اليابان; egypt | مصر; russia | روسيا; canada | كندا; peru | بيرو
        norway | النرويج; india | الهند; america | الولايات المتحدة
        """,
        patterns={"in": "في/ADP {}"},
    ),
    **table(
        "org",
        forms="nom",
        rows="""
        norvik | شركة/NOUN [نورفيك]; orbitel | شركة/NOUN [أوربيتل]; lumena | شركة/NOUN [لومينا]
        vectora | شركة/NOUN [فيكتورا]; alpina_group | مجموعة/NOUN [ألبينا]
        polaris | شركة/NOUN [بولاريس]; zenta | شركة/NOUN [زينتا]; corvida | شركة/NOUN [كورفيدا]
        tavira_air | شركة/NOUN [طيران/NOUN تافيرا]; delfina | شركة/NOUN [دلفينا]
        nimbus | شركة/NOUN [نيمبوس]; altera | شركة/NOUN [ألتيرا]; brista_group | مجموعة/NOUN [بريستا]
        solveta | شركة/NOUN [سولفيتا]; kestra | شركة/NOUN [كيسترا]; marvena | شركة/NOUN [مارفينا]
        """,
        patterns={"in": "في/ADP {}"},
    ),
    **table(
        "job",
        forms="nom | nom.f | acc | acc.f",
        rows="""
        doctor | طبيب; teacher | معلم; lawyer | محامٍ | محامية | محاميًا | محامية; engineer | مهندس
        journalist | صحفي; cook | طباخ; baker | خباز; pilot | طيار; architect | معماري; painter | رسام
        singer | مطرب; pharmacist | صيدلاني
        surgeon | طبيب جراح/ADJ | طبيبة جراحة/ADJ | طبيبًا جراحًا/ADJ | طبيبة جراحة/ADJ
        musician | موسيقي; pianist | عازف بيانو | عازفة بيانو | عازف بيانو | عازفة بيانو
        violinist | عازف كمان | عازفة كمان | عازف كمان | عازفة كمان
        writer | أديب; poet | شاعر; novelist | روائي
        """,
        patterns={"nom.f": "{}ة", "acc": "{}ًا", "acc.f": "{}ة"},
    ),
    **table(
        "thing",
        forms="acc",
        rows="""
        flower | زهرة; rose | وردة; red_rose | وردة حمراء/ADJ; tulip | زهرة توليب
        white_tulip | زهرة توليب بيضاء/ADJ; fruit | ثمرة فاكهة; apple | تفاحة
        green_apple | تفاحة خضراء/ADJ; pear | إجاصة; yellow_pear | إجاصة صفراء/ADJ; animal | حيوانًا
        dog | كلبًا; black_dog | كلبًا أسود/ADJ; cat | قطة; white_cat | قطة بيضاء/ADJ; horse | حصانًا
        instrument | آلة موسيقية/ADJ; guitar | غيتارًا; old_guitar | غيتارًا قديمًا/ADJ; violin | كمانًا
        new_violin | كمانًا جديدًا/ADJ; flute | نايًا; book | كتابًا; novel | رواية; dictionary | قاموسًا
        old_dictionary | قاموسًا قديمًا/ADJ; tool | أداة; hammer | مطرقة; new_hammer | مطرقة جديدة/ADJ
        saw | منشارًا; toy | لعبة; doll | دمية; ball | كرة; big_ball | كرة كبيرة/ADJ
        """,
    ),
    **table(
        "venue",
        forms="in",
        rows="""
        museum | في/ADP المتحف; park | في/ADP الحديقة; library | في/ADP المكتبة
        restaurant | في/ADP المطعم; station | في/ADP المحطة; theatre | في/ADP المسرح
        market | في/ADP السوق; school | في/ADP المدرسة
        """,
    ),
    **table(
        "event",
        forms="nom",
        rows="""
        concert | الحفل الموسيقي/ADJ; wedding | حفل الزفاف; party | الحفلة; dinner | العشاء
        exhibition | المعرض; meeting | الاجتماع
        """,
    ),
    **table(
        "day",
        forms="on",
        rows="""
        monday | يوم الاثنين; tuesday | يوم الثلاثاء; wednesday | يوم الأربعاء; thursday | يوم الخميس
        friday | يوم الجمعة; saturday | يوم السبت; sunday | يوم الأحد; yesterday | أمس/ADV; today | اليوم
        """,
    ),
}

_IS_NOT = "(agent|m=ليس|f=ليست)/AUX"
_BOUGHT = "(agent|m=اشترى|f=اشترت)/VERB"
_GAVE = "(agent|m=أهدى|f=أهدت)/VERB"
_MET = "(agent|m=التقى|f=التقت)/VERB"
_HELPED = "(agent|m=قدم|f=قدمت)/VERB"
_CALLED = "(agent|m=اتصل|f=اتصلت)/VERB"
_INVITED = "(agent|m=وجه|f=وجهت)/VERB"
_TRAVELLED = "(agent|m=سافر|f=سافرت)/VERB"
_FOUNDED = "(agent|m=أسس|f=أسست)/VERB"
_BORN = "(agent|m=وُلد|f=وُلدت)/VERB"
_LIVES = "(agent|m=يعيش|f=تعيش)/VERB"
_WORKS = "(agent|m=يعمل|f=تعمل)/VERB"
_HE = "(agent|m=هو|f=هي)/PRON"
_PARENT = "(agent|m=والد|f=والدة)/NOUN"
_CHILD = "(patient|m=ابن|f=ابنة)/NOUN"
_INVITATION = "دعوة/NOUN لحضور/NOUN"
_GOT = "(patient|m=تلقى|f=تلقت)/VERB"

TEMPLATES = {
    "lives_in.say": f"{_LIVES} {{agent.nom}} {{place.in}}",
    "lives_in.turn": "يقع/VERB منزل/NOUN {agent.nom} {place.in}",
    "lives_in.deny": f"لا/PART {_LIVES} {{agent.nom}} {{place.in}}",
    "lives_in.ask_agent": "من/PRON يعيش/VERB {place.in}",
    "lives_in.ask_place": f"أين/ADV {_LIVES} {{agent.nom}}",
    "works_as.say": f"{_WORKS} {{agent.nom}} {{job.acc@agent}}",
    "works_as.turn": "{agent.nom} {job.nom@agent}",
    "works_as.deny": f"لا/PART {_WORKS} {{agent.nom}} {{job.acc@agent}}",
    "works_as.ask_agent": "من/PRON يعمل/VERB {job.acc}",
    "works_as.ask_job": "ما/PRON مهنة/NOUN {agent.nom}",
    "works_for.say": f"{_WORKS} {{agent.nom}} {{org.in}}",
    "works_for.turn": "{agent.nom} (agent|m=موظف|f=موظفة)/NOUN {org.in}",
    "works_for.deny": f"لا/PART {_WORKS} {{agent.nom}} {{org.in}}",
    "works_for.ask_agent": "من/PRON يعمل/VERB {org.in}",
    "works_for.ask_org": f"في/ADP أي/DET شركة/NOUN {_WORKS} {{agent.nom}}",
    "born_in.say": f"{_BORN} {{agent.nom}} {{place.in?}} {{year.acc?}}",
    "born_in.front": f"{{year.in}} {_BORN} {{agent.nom}} {{place.in?}}",
    "born_in.turn": "(agent|m=أبصر|f=أبصرت)/VERB {agent.nom} النور/NOUN {place.in?} {year.acc?}",
    "born_in.deny": "لم/PART (agent|m=يولد|f=تولد)/VERB {agent.nom} {place.in?} {year.acc?}",
    "born_in.ask_agent": "من/PRON وُلد/VERB {place.in?} {year.acc?}",
    "born_in.ask_place": f"أين/ADV {_BORN} {{agent.nom}} {{year.acc?}}",
    "born_in.ask_year": f"في/ADP أي/DET عام/NOUN {_BORN} {{agent.nom}} {{place.in?}}",
    "founded.say": f"{{agent.pro}} {_FOUNDED} {{agent.nom}} {{org.nom}} {{year.acc?}}",
    "founded.front": f"{{year.in}} {_FOUNDED} {{agent.nom}} {{org.nom}}",
    "founded.turn": "تأسست/VERB {org.nom} {agent.by} {year.acc?}",
    "founded.deny": "لم/PART (agent|m=يؤسس|f=تؤسس)/VERB {agent.nom} {org.nom} {year.acc?}",
    "founded.ask_agent": "من/PRON أسس/VERB {org.nom} {year.acc?}",
    "founded.ask_org": "ما/PRON الشركة/NOUN التي/PRON (agent|m=أسسها|f=أسستها)/VERB {agent.nom} {year.acc?}",
    "founded.ask_year": f"في/ADP أي/DET عام/NOUN {_FOUNDED} {{agent.nom}} {{org.nom}}",
    "older_than.say": "{agent.pro} {agent.nom} أكبر/ADJ سنًا/NOUN {patient.from}",
    "older_than.turn": "{patient.nom} أصغر/ADJ سنًا/NOUN {agent.from}",
    "older_than.deny": f"{_IS_NOT} {{agent.nom}} أكبر/ADJ سنًا/NOUN {{patient.from}}",
    "older_than.ask_agent": "من/PRON هو/PRON أكبر/ADJ سنًا/NOUN {patient.from}",
    "older_than.ask_patient": "من/PRON هو/PRON أصغر/ADJ سنًا/NOUN {agent.from}",
    "parent_of.say": f"{{agent.nom}} {_HE} {_PARENT} {{patient.nom}}",
    "parent_of.turn": f"{{patient.nom}} (patient|m=هو|f=هي)/PRON {_CHILD} {{agent.nom}}",
    "parent_of.deny": f"{_IS_NOT} {{agent.nom}} {_PARENT} {{patient.nom}}",
    "parent_of.ask_agent": f"من/PRON {_HE} {_PARENT} {{patient.nom}}",
    "parent_of.ask_patient": f"من/PRON (patient|m=هو|f=هي)/PRON {_CHILD} {{agent.nom}}",
    "in_country.say": "{city.nom} مدينة/NOUN {country.in}",
    "in_country.turn": "تقع/VERB {city.nom} {country.in}",
    "in_country.deny": "ليست/AUX {city.nom} مدينة/NOUN {country.in}",
    "in_country.ask_city": "أي/DET مدينة/NOUN تقع/VERB {country.in}",
    "in_country.ask_country": "في/ADP أي/DET بلد/NOUN تقع/VERB {city.nom}",
    "bought.say": f"{_BOUGHT} {{agent.nom}} {{theme.acc}} {{source.from?}} {{time.on?}}",
    "bought.front": f"{{time.on}} {_BOUGHT} {{agent.nom}} {{theme.acc}} {{source.from?}}",
    "bought.turn": "(source|m=باع|f=باعت)/VERB {source.nom} {theme.acc} {agent.to} {time.on?}",
    "bought.deny": "لم/PART (agent|m=يشترِ|f=تشترِ)/VERB {agent.nom} {theme.acc} {source.from?} {time.on?}",
    "bought.ask_agent": "من/PRON اشترى/VERB {theme.acc} {source.from?} {time.on?}",
    "bought.ask_theme": f"ماذا/PRON {_BOUGHT} {{agent.nom}} {{source.from?}} {{time.on?}}",
    "bought.ask_source": f"ممن/PRON {_BOUGHT} {{agent.nom}} {{theme.acc}} {{time.on?}}",
    "bought.ask_time": f"متى/ADV {_BOUGHT} {{agent.nom}} {{theme.acc}} {{source.from?}}",
    "gave.say": f"{_GAVE} {{agent.nom}} {{theme.acc}} {{recipient.to}} {{time.on?}}",
    "gave.front": f"{{time.on}} {_GAVE} {{agent.nom}} {{theme.acc}} {{recipient.to}}",
    "gave.turn": "(recipient|m=تلقى|f=تلقت)/VERB {recipient.nom} {theme.acc} هدية/NOUN {agent.from} "
    "{time.on?}",
    "gave.deny": "لم/PART (agent|m=يهدِ|f=تهدِ)/VERB {agent.nom} {theme.acc} {recipient.to} {time.on?}",
    "gave.ask_agent": "من/PRON أهدى/VERB {theme.acc} {recipient.to} {time.on?}",
    "gave.ask_theme": f"ماذا/PRON {_GAVE} {{agent.nom}} {{recipient.to}} {{time.on?}}",
    "gave.ask_recipient": f"إلى/ADP من/PRON {_GAVE} {{agent.nom}} {{theme.acc}} {{time.on?}}",
    "gave.ask_time": f"متى/ADV {_GAVE} {{agent.nom}} {{theme.acc}} {{recipient.to}}",
    "met.say": f"{_MET} {{agent.nom}} {{patient.with}} {{venue.in?}} {{time.on?}}",
    "met.front": f"{{time.on}} {_MET} {{agent.nom}} {{patient.with}} {{venue.in?}}",
    "met.turn": "(patient|m=التقى|f=التقت)/VERB {patient.nom} {agent.with} {venue.in?} {time.on?}",
    "met.deny": "لم/PART (agent|m=يلتقِ|f=تلتقِ)/VERB {agent.nom} {patient.with} {venue.in?} {time.on?}",
    "met.ask_agent": "من/PRON التقى/VERB {patient.with} {venue.in?} {time.on?}",
    "met.ask_patient": f"بمن/PRON {_MET} {{agent.nom}} {{venue.in?}} {{time.on?}}",
    "met.ask_venue": f"أين/ADV {_MET} {{agent.nom}} {{patient.with}} {{time.on?}}",
    "met.ask_time": f"متى/ADV {_MET} {{agent.nom}} {{patient.with}} {{venue.in?}}",
    "helped.say": f"{_HELPED} {{agent.nom}} المساعدة/NOUN {{patient.to}} {{venue.in?}} {{time.on?}}",
    "helped.front": f"{{time.on}} {_HELPED} {{agent.nom}} المساعدة/NOUN {{patient.to}} {{venue.in?}}",
    "helped.turn": f"{_GOT} {{patient.nom}} المساعدة/NOUN {{agent.from}} {{venue.in?}} {{time.on?}}",
    "helped.deny": "لم/PART (agent|m=يقدم|f=تقدم)/VERB {agent.nom} المساعدة/NOUN {patient.to} {venue.in?} "
    "{time.on?}",
    "helped.ask_agent": "من/PRON قدم/VERB المساعدة/NOUN {patient.to} {venue.in?} {time.on?}",
    "helped.ask_patient": f"إلى/ADP من/PRON {_HELPED} {{agent.nom}} المساعدة/NOUN {{venue.in?}} {{time.on?}}",
    "helped.ask_venue": f"أين/ADV {_HELPED} {{agent.nom}} المساعدة/NOUN {{patient.to}} {{time.on?}}",
    "helped.ask_time": f"متى/ADV {_HELPED} {{agent.nom}} المساعدة/NOUN {{patient.to}} {{venue.in?}}",
    "called.say": f"{_CALLED} {{agent.nom}} {{patient.with}} هاتفيًا/ADV {{time.on?}}",
    "called.front": f"{{time.on}} {_CALLED} {{agent.nom}} {{patient.with}} هاتفيًا/ADV",
    "called.turn": f"{_GOT} {{patient.nom}} مكالمة/NOUN هاتفية/ADJ {{agent.from}} {{time.on?}}",
    "called.deny": "لم/PART (agent|m=يتصل|f=تتصل)/VERB {agent.nom} {patient.with} هاتفيًا/ADV {time.on?}",
    "called.ask_agent": "من/PRON اتصل/VERB {patient.with} هاتفيًا/ADV {time.on?}",
    "called.ask_patient": f"بمن/PRON {_CALLED} {{agent.nom}} هاتفيًا/ADV {{time.on?}}",
    "called.ask_time": f"متى/ADV {_CALLED} {{agent.nom}} {{patient.with}} هاتفيًا/ADV",
    "invited.say": f"{_INVITED} {{agent.nom}} {{patient.to}} {_INVITATION} {{event.nom}}",
    "invited.turn": f"{_GOT} {{patient.nom}} {{agent.from}} {_INVITATION} {{event.nom}}",
    "invited.deny": f"لم/PART (agent|m=يوجه|f=توجه)/VERB {{agent.nom}} {{patient.to}} {_INVITATION} "
    "{event.nom}",
    "invited.ask_agent": f"من/PRON وجه/VERB {{patient.to}} {_INVITATION} {{event.nom}}",
    "invited.ask_patient": f"إلى/ADP من/PRON {_INVITED} {{agent.nom}} {_INVITATION} {{event.nom}}",
    "invited.ask_event": f"ما/PRON المناسبة/NOUN التي/PRON {_INVITED} {{agent.nom}} {{patient.to}} "
    "دعوة/NOUN لحضورها/NOUN",
    "travelled_to.say": f"{_TRAVELLED} {{agent.nom}} {{place.to}} {{time.on?}}",
    "travelled_to.front": f"{{time.on}} {_TRAVELLED} {{agent.nom}} {{place.to}}",
    "travelled_to.turn": "(agent|m=قام|f=قامت)/VERB {agent.nom} برحلة/NOUN {place.to} {time.on?}",
    "travelled_to.deny": "لم/PART (agent|m=يسافر|f=تسافر)/VERB {agent.nom} {place.to} {time.on?}",
    "travelled_to.ask_agent": "من/PRON سافر/VERB {place.to} {time.on?}",
    "travelled_to.ask_place": f"إلى/ADP أين/ADV {_TRAVELLED} {{agent.nom}} {{time.on?}}",
    "travelled_to.ask_time": f"متى/ADV {_TRAVELLED} {{agent.nom}} {{place.to}}",
}

LANGUAGE = Language(
    code="ar",
    name="Arabic",
    words=WORDS,
    templates=TEMPLATES,
    years={"acc": "عام/NOUN [{}]", "in": "في/ADP عام/NOUN [{}]"},
    joins={"and": "{first} و/CCONJ {second}", "but": "{first} ،/PUNCT لكن/CCONJ {second}"},
    question=("", "؟"),
    glued=("و",),
)
