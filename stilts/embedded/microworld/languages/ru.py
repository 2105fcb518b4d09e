"""Russian. First names are declined by their endings, surnames not at all, all other cases are stored."""

from collections.abc import Callable

from stilts.embedded.microworld.grammar import Language, table

# Ending of a name -> its endings in the genitive, dative, accusative and instrumental.
_ENDINGS = {
    "ия": ("ии", "ии", "ию", "ией"),
    "а": ("ы", "е", "у", "ой"),
    "ь": ("я", "ю", "я", "ем"),
    "": ("а", "у", "а", "ом"),
}


def _case(number: int, before: str = "") -> Callable[[str], str]:
    def decline(name: str) -> str:
        ending = next(ending for ending in _ENDINGS if name.endswith(ending))
        return before + name.removesuffix(ending) + _ENDINGS[ending][number]

    return decline


def _company(before: str) -> str:
    return before + " «/PUNCT [{}] »/PUNCT"


WORDS = {
    **table(
        "person",
        forms="nom",
        rows="""
        anna | Анна; maria | Мария; laura | Лаура; sofia | София; clara | Клара; nina | Нина; julia | Юлия
        elena | Елена; diana | Диана; vera | Вера; emma | Эмма; lisa | Лиза; nora | Нора; paula | Паула
        irina | Ирина; sara | Сара; peter | Питер; martin | Мартин; david | Давид; daniel | Даниэль
        robert | Роберт; thomas | Томас; adam | Адам; simon | Симон; victor | Виктор; oscar | Оскар
        leon | Леон; felix | Феликс; anton | Антон; max | Макс; edgar | Эдгар; conrad | Конрад
        """,
        patterns={
            "gen": _case(0),
            "dat": _case(1),
            "acc": _case(2),
            "ins": _case(3),
            "у": _case(0, "у/ADP "),
            "от": _case(0, "от/ADP "),
            "с": _case(3, "с/ADP "),
        },
    ),
    **table(
        "surname",
        forms="nom",
        rows="""
        rossi | Росси; moreno | Морено; romano | Романо; marino | Марино; conti | Конти; sato | Сато
        ito | Ито; bruni | Бруни; franco | Франко; kato | Като; russo | Руссо; ricci | Риччи; mori | Мори
        navarro | Наварро; nakano | Накано; longo | Лонго
        """,
    ),
    **table("pronoun", forms="nom", rows="she | она; he | он"),
    **table(
        "city",
        forms="nom | loc | to",
        rows="""
        paris | Париж | в/ADP Париже; rome | Рим | в/ADP Риме; madrid | Мадрид | в/ADP Мадриде
        berlin | Берлин | в/ADP Берлине; vienna | Вена | в/ADP Вене | в/ADP Вену
        lisbon | Лиссабон | в/ADP Лиссабоне; tokyo | Токио | в/ADP Токио; cairo | Каир | в/ADP Каире
        moscow | Москва | в/ADP Москве | в/ADP Москву; toronto | Торонто | в/ADP Торонто
        lima | Лима | в/ADP Лиме | в/ADP Лиму; oslo | Осло | в/ADP Осло
        new_york | Нью-Йорк | в/ADP Нью-Йорке; delhi | Дели | в/ADP Дели; lyon | Лион | в/ADP Лионе
        milan | Милан | в/ADP Милане; barcelona | Барселона | в/ADP Барселоне | в/ADP Барселону
        munich | Мюнхен | в/ADP Мюнхене; salzburg | Зальцбург | в/ADP Зальцбурге
        porto | Порту | в/ADP Порту; osaka | Осака | в/ADP Осаке | в/ADP Осаку
        montreal | Монреаль | в/ADP Монреале; bergen | Берген | в/ADP Бергене
        los_angeles | Лос-Анджелес | в/ADP Лос-Анджелесе
        """,
        patterns={"to": "в/ADP {}"},
    ),
    **table(
        "country",
        forms="loc",
        rows="""
        france | во/ADP Франции; italy | в/ADP Италии; spain | в/ADP Испании; germany | в/ADP Германии
        austria | в/ADP Австрии; portugal | в/ADP Португалии; japan | в/ADP Японии; egypt | в/ADP Египте
        russia | в/ADP России; canada | в/ADP Канаде; peru | в/ADP Перу; norway | в/ADP Норвегии
        america | в/ADP США; india | в/ADP Индии
        """,
    ),
    **table(
        "org",
        forms="bare",
        rows="""
        norvik | Норвик; orbitel | Орбител; lumena | Лумена; vectora | Вектора; alpina_group | Альпина Групп
        polaris | Поларис; zenta | Зента; corvida | Корвида; tavira_air | Тавира Эйр; delfina | Дельфина
        nimbus | Нимбус; altera | Альтера; brista_group | Бриста Групп; solveta | Солвета; kestra | Кестра
        marvena | Марвена
        """,
        patterns={
            "nom": _company("компания/NOUN"),
            "gen": _company("компании/NOUN"),
            "acc": _company("компанию/NOUN"),
            "loc": _company("в/ADP компании/NOUN"),
        },
    ),
    **table(
        "job",
        forms="nom | ins | nom.f | ins.f",
        rows="""
        doctor | врач | врачом; teacher | учитель | учителем | учительница | учительницей
        lawyer | адвокат | адвокатом; engineer | инженер | инженером
        journalist | журналист | журналистом | журналистка | журналисткой; cook | повар | поваром
        baker | пекарь | пекарем; pilot | пилот | пилотом; architect | архитектор | архитектором
        painter | художник | художником | художница | художницей
        singer | певец | певцом | певица | певицей; pharmacist | фармацевт | фармацевтом
        surgeon | хирург | хирургом; musician | музыкант | музыкантом
        pianist | пианист | пианистом | пианистка | пианисткой
        violinist | скрипач | скрипачом | скрипачка | скрипачкой
        writer | писатель | писателем | писательница | писательницей
        poet | поэт | поэтом | поэтесса | поэтессой; novelist | романист | романистом
        """,
    ),
    **table(
        "thing",
        forms="acc",
        rows="""
        flower | цветок; rose | розу; red_rose | красную/ADJ розу; tulip | тюльпан
        white_tulip | белый/ADJ тюльпан; fruit | фрукт; apple | яблоко; green_apple | зелёное/ADJ яблоко
        pear | грушу; yellow_pear | жёлтую/ADJ грушу; animal | животное; dog | собаку
        black_dog | чёрную/ADJ собаку; cat | кошку; white_cat | белую/ADJ кошку; horse | лошадь
        instrument | музыкальный/ADJ инструмент; guitar | гитару; old_guitar | старую/ADJ гитару
        violin | скрипку; new_violin | новую/ADJ скрипку; flute | флейту; book | книгу; novel | роман
        dictionary | словарь; old_dictionary | старый/ADJ словарь; tool | ручной/ADJ инструмент
        hammer | молоток; new_hammer | новый/ADJ молоток; saw | пилу; toy | игрушку; doll | куклу
        ball | мяч; big_ball | большой/ADJ мяч
        """,
    ),
    **table(
        "venue",
        forms="loc",
        rows="""
        museum | в/ADP музее; park | в/ADP парке; library | в/ADP библиотеке; restaurant | в/ADP ресторане
        station | на/ADP вокзале; theatre | в/ADP театре; market | на/ADP рынке; school | в/ADP школе
        """,
    ),
    **table(
        "event",
        forms="to",
        rows="""
        concert | на/ADP концерт; wedding | на/ADP свадьбу; party | на/ADP вечеринку
        dinner | на/ADP ужин; exhibition | на/ADP выставку; meeting | на/ADP встречу
        """,
    ),
    **table(
        "day",
        forms="on",
        rows="""
        monday | в/ADP понедельник; tuesday | во/ADP вторник; wednesday | в/ADP среду
        thursday | в/ADP четверг; friday | в/ADP пятницу; saturday | в/ADP субботу
        sunday | в/ADP воскресенье; yesterday | вчера/ADV; today | сегодня/ADV
        """,
    ),
}


def _past(role: str, masculine: str, feminine: str = "") -> str:
    return f"({role}|m={masculine}|f={feminine or masculine + 'а'})/VERB"


_BORN = _past("agent", "родился", "родилась")
_FOUNDED = _past("agent", "основал")
_BOUGHT, _NOT_BOUGHT = _past("agent", "купил"), "не/PART " + _past("agent", "покупал")
_GAVE, _NOT_GAVE = _past("agent", "дал"), "не/PART " + _past("agent", "давал")
_MET, _NOT_MET = (
    _past("agent", "встретился", "встретилась"),
    "не/PART " + _past("agent", "встречался", "встречалась"),
)
_HELPED, _CALLED = _past("agent", "помог", "помогла"), _past("agent", "позвонил")
_INVITED, _WENT = _past("agent", "пригласил"), _past("agent", "ездил")
_WHICH_YEAR = "в/ADP каком/DET году/NOUN"

TEMPLATES = {
    "lives_in.say": "{agent.nom} живёт/VERB {place.loc}",
    "lives_in.turn": "{agent.nom} проживает/VERB {place.loc}",
    "lives_in.deny": "{agent.nom} не/PART живёт/VERB {place.loc}",
    "lives_in.ask_agent": "кто/PRON живёт/VERB {place.loc}",
    "lives_in.ask_place": "где/ADV живёт/VERB {agent.nom}",
    "works_as.say": "{agent.nom} работает/VERB {job.ins@agent}",
    "works_as.turn": "{agent.nom} по/ADP профессии/NOUN {job.nom@agent}",
    "works_as.deny": "{agent.nom} не/PART работает/VERB {job.ins@agent}",
    "works_as.ask_agent": "кто/PRON работает/VERB {job.ins@agent}",
    "works_as.ask_job": "кем/PRON работает/VERB {agent.nom}",
    "works_for.say": "{agent.nom} работает/VERB {org.loc}",
    "works_for.turn": "{agent.nom} является/VERB (agent|m=сотрудником|f=сотрудницей)/NOUN {org.gen}",
    "works_for.deny": "{agent.nom} не/PART работает/VERB {org.loc}",
    "works_for.ask_agent": "кто/PRON работает/VERB {org.loc}",
    "works_for.ask_org": "в/ADP какой/DET компании/NOUN работает/VERB {agent.nom}",
    "born_in.say": f"{{agent.nom}} {_BORN} {{place.loc?}} {{year.loc?}}",
    "born_in.front": f"{{year.loc}} {{place.loc?}} {_BORN} {{agent.nom}}",
    "born_in.turn": f"{{agent.nom}} {_past('agent', 'появился', 'появилась')} на/ADP свет/NOUN "
    "{place.loc?} {year.loc?}",
    "born_in.deny": f"{{agent.nom}} не/PART {_BORN} {{place.loc?}} {{year.loc?}}",
    "born_in.ask_agent": "кто/PRON родился/VERB {place.loc?} {year.loc?}",
    "born_in.ask_place": f"где/ADV {{year.loc?}} {_BORN} {{agent.nom}}",
    "born_in.ask_year": f"{_WHICH_YEAR} {{agent.nom}} {_BORN} {{place.loc?}}",
    "founded.say": f"{{agent.nom}} {_FOUNDED} {{org.acc}} {{year.loc?}}",
    "founded.front": f"{{year.loc}} {{agent.nom}} {_FOUNDED} {{org.acc}}",
    "founded.turn": "{org.nom} была/AUX основана/VERB {agent.ins} {year.loc?}",
    "founded.deny": f"{{agent.nom}} не/PART {_past('agent', 'основывал')} {{org.acc}} {{year.loc?}}",
    "founded.ask_agent": "кто/PRON основал/VERB {org.acc} {year.loc?}",
    "founded.ask_org": f"какую/DET компанию/NOUN {_FOUNDED} {{agent.nom}} {{year.loc?}}",
    "founded.ask_year": f"{_WHICH_YEAR} {{agent.nom}} {_FOUNDED} {{org.acc}}",
    "older_than.say": "{agent.nom} старше/ADJ {patient.gen}",
    "older_than.turn": "{patient.nom} моложе/ADJ {agent.gen}",
    "older_than.deny": "{agent.nom} не/PART старше/ADJ {patient.gen}",
    "older_than.ask_agent": "кто/PRON старше/ADJ {patient.gen}",
    "older_than.ask_patient": "кто/PRON моложе/ADJ {agent.gen}",
    "parent_of.say": "{agent.nom} является/VERB (agent|m=отцом|f=матерью)/NOUN {patient.gen}",
    "parent_of.turn": "{patient.nom} —/PUNCT (patient|m=сын|f=дочь)/NOUN {agent.gen}",
    "parent_of.deny": "{agent.nom} не/PART является/VERB (agent|m=отцом|f=матерью)/NOUN {patient.gen}",
    "parent_of.ask_agent": "кто/PRON является/VERB (agent|m=отцом|f=матерью)/NOUN {patient.gen}",
    "parent_of.ask_patient": "кто/PRON является/VERB (patient|m=сыном|f=дочерью)/NOUN {agent.gen}",
    "in_country.say": "{city.nom} —/PUNCT город/NOUN {country.loc}",
    "in_country.turn": "{city.nom} находится/VERB {country.loc}",
    "in_country.deny": "{city.nom} не/PART находится/VERB {country.loc}",
    "in_country.ask_city": "какой/DET город/NOUN находится/VERB {country.loc}",
    "in_country.ask_country": "в/ADP какой/DET стране/NOUN находится/VERB {city.nom}",
    "bought.say": f"{{agent.nom}} {_BOUGHT} {{theme.acc}} {{source.у?}} {{time.on?}}",
    "bought.front": f"{{time.on}} {{agent.nom}} {_BOUGHT} {{theme.acc}} {{source.у?}}",
    "bought.turn": f"{{source.nom}} {_past('source', 'продал')} {{theme.acc}} {{agent.dat}} {{time.on?}}",
    "bought.deny": f"{{agent.nom}} {_NOT_BOUGHT} {{theme.acc}} {{source.у?}} {{time.on?}}",
    "bought.ask_agent": "кто/PRON купил/VERB {theme.acc} {source.у?} {time.on?}",
    "bought.ask_theme": f"что/PRON {{agent.nom}} {_BOUGHT} {{source.у?}} {{time.on?}}",
    "bought.ask_source": f"у/ADP кого/PRON {{agent.nom}} {_BOUGHT} {{theme.acc}} {{time.on?}}",
    "bought.ask_time": f"когда/ADV {{agent.nom}} {_BOUGHT} {{theme.acc}} {{source.у?}}",
    "gave.say": f"{{agent.nom}} {_GAVE} {{recipient.dat}} {{theme.acc}} {{time.on?}}",
    "gave.front": f"{{time.on}} {{agent.nom}} {_GAVE} {{recipient.dat}} {{theme.acc}}",
    "gave.turn": f"{{recipient.nom}} {_past('recipient', 'получил')} {{theme.acc}} {{agent.от}} {{time.on?}}",
    "gave.deny": f"{{agent.nom}} {_NOT_GAVE} {{recipient.dat}} {{theme.acc}} {{time.on?}}",
    "gave.ask_agent": "кто/PRON дал/VERB {recipient.dat} {theme.acc} {time.on?}",
    "gave.ask_theme": f"что/PRON {{agent.nom}} {_GAVE} {{recipient.dat}} {{time.on?}}",
    "gave.ask_recipient": f"кому/PRON {{agent.nom}} {_GAVE} {{theme.acc}} {{time.on?}}",
    "gave.ask_time": f"когда/ADV {{agent.nom}} {_GAVE} {{recipient.dat}} {{theme.acc}}",
    "met.say": f"{{agent.nom}} {_MET} {{patient.с}} {{venue.loc?}} {{time.on?}}",
    "met.front": f"{{time.on}} {{agent.nom}} {_MET} {{patient.с}} {{venue.loc?}}",
    "met.turn": f"{{patient.nom}} {_MET.replace('agent', 'patient')} {{agent.с}} {{venue.loc?}} {{time.on?}}",
    "met.deny": f"{{agent.nom}} {_NOT_MET} {{patient.с}} {{venue.loc?}} {{time.on?}}",
    "met.ask_agent": "кто/PRON встретился/VERB {patient.с} {venue.loc?} {time.on?}",
    "met.ask_patient": f"с/ADP кем/PRON {{agent.nom}} {_MET} {{venue.loc?}} {{time.on?}}",
    "met.ask_venue": f"где/ADV {{agent.nom}} {_MET} {{patient.с}} {{time.on?}}",
    "met.ask_time": f"когда/ADV {{agent.nom}} {_MET} {{patient.с}} {{venue.loc?}}",
    "helped.say": f"{{agent.nom}} {_HELPED} {{patient.dat}} {{venue.loc?}} {{time.on?}}",
    "helped.front": f"{{time.on}} {{agent.nom}} {_HELPED} {{patient.dat}} {{venue.loc?}}",
    "helped.turn": f"{{patient.nom}} {_past('patient', 'получил')} помощь/NOUN {{agent.от}} "
    "{venue.loc?} {time.on?}",
    "helped.deny": f"{{agent.nom}} не/PART {_past('agent', 'помогал')} {{patient.dat}} "
    "{venue.loc?} {time.on?}",
    "helped.ask_agent": "кто/PRON помог/VERB {patient.dat} {venue.loc?} {time.on?}",
    "helped.ask_patient": f"кому/PRON {{agent.nom}} {_HELPED} {{venue.loc?}} {{time.on?}}",
    "helped.ask_venue": f"где/ADV {{agent.nom}} {_HELPED} {{patient.dat}} {{time.on?}}",
    "helped.ask_time": f"когда/ADV {{agent.nom}} {_HELPED} {{patient.dat}} {{venue.loc?}}",
    "called.say": f"{{agent.nom}} {_CALLED} {{patient.dat}} {{time.on?}}",
    "called.front": f"{{time.on}} {{agent.nom}} {_CALLED} {{patient.dat}}",
    "called.turn": "{time.on?} {patient.dat} поступил/VERB звонок/NOUN {agent.от}",
    "called.deny": f"{{agent.nom}} не/PART {_past('agent', 'звонил')} {{patient.dat}} {{time.on?}}",
    "called.ask_agent": "кто/PRON позвонил/VERB {patient.dat} {time.on?}",
    "called.ask_patient": f"кому/PRON {{agent.nom}} {_CALLED} {{time.on?}}",
    "called.ask_time": f"когда/ADV {{agent.nom}} {_CALLED} {{patient.dat}}",
    "invited.say": f"{{agent.nom}} {_INVITED} {{patient.acc}} {{event.to}}",
    "invited.turn": f"{{patient.nom}} {_past('patient', 'получил')} {{agent.от}} приглашение/NOUN "
    "{event.to}",
    "invited.deny": f"{{agent.nom}} не/PART {_past('agent', 'приглашал')} {{patient.acc}} {{event.to}}",
    "invited.ask_agent": "кто/PRON пригласил/VERB {patient.acc} {event.to}",
    "invited.ask_patient": f"кого/PRON {{agent.nom}} {_INVITED} {{event.to}}",
    "invited.ask_event": f"куда/ADV {{agent.nom}} {_INVITED} {{patient.acc}}",
    "travelled_to.say": f"{{agent.nom}} {_WENT} {{place.to}} {{time.on?}}",
    "travelled_to.front": f"{{time.on}} {{agent.nom}} {_WENT} {{place.to}}",
    "travelled_to.turn": f"{{agent.nom}} {_past('agent', 'совершил')} поездку/NOUN {{place.to}} {{time.on?}}",
    "travelled_to.deny": f"{{agent.nom}} не/PART {_WENT} {{place.to}} {{time.on?}}",
    "travelled_to.ask_agent": "кто/PRON ездил/VERB {place.to} {time.on?}",
    "travelled_to.ask_place": f"куда/ADV {{agent.nom}} {_WENT} {{time.on?}}",
    "travelled_to.ask_time": f"когда/ADV {{agent.nom}} {_WENT} {{place.to}}",
}

LANGUAGE = Language(
    code="ru",
    name="Russian",
    words=WORDS,
    templates=TEMPLATES,
    years={"loc": "в/ADP [{}/ADJ] году/NOUN"},
    joins={"and": "{first} ,/PUNCT и/CCONJ {second}", "but": "{first} ,/PUNCT но/CCONJ {second}"},
)
