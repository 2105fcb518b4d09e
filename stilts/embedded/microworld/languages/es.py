"""Spanish. Contractions stay fused: "al" and "del" are one ADP each."""

from stilts.embedded.microworld.grammar import Language, table


def _none_of(text: str) -> str:
    return text.replace("una/DET", "ninguna/DET").replace("un/DET", "ningún/DET")


WORDS = {
    **table(
        "person",
        forms="nom",
        rows="""
        anna | Ana; maria | María; laura | Laura; sofia | Sofía; clara | Clara; nina | Nina; julia | Julia
        elena | Elena; diana | Diana; vera | Vera; emma | Emma; lisa | Lisa; nora | Nora; paula | Paula
        irina | Irina; sara | Sara; peter | Peter; martin | Martín; david | David; daniel | Daniel
        robert | Robert; thomas | Thomas; adam | Adam; simon | Simón; victor | Víctor; oscar | Óscar
        leon | León; felix | Félix; anton | Anton; max | Max; edgar | Edgar; conrad | Conrad
        """,
        patterns={
            "a": "a/ADP {}",
            "de": "de/ADP {}",
            "con": "con/ADP {}",
            "por": "por/ADP {}",
            "que": "que/SCONJ {}",
        },
    ),
    **table(
        "surname",
        forms="nom",
        rows="""
        rossi | Rossi; moreno | Moreno; romano | Romano; marino | Marino; conti | Conti; sato | Sato
        ito | Ito; bruni | Bruni; franco | Franco; kato | Kato; russo | Russo; ricci | Ricci; mori | Mori
        navarro | Navarro; nakano | Nakano; longo | Longo
        """,
    ),
    **table("pronoun", forms="nom", rows="she | ella; he | él"),
    **table(
        "city",
        forms="nom",
        rows="""
        paris | París; rome | Roma; madrid | Madrid; berlin | Berlín; vienna | Viena; lisbon | Lisboa
        tokyo | Tokio; cairo | El Cairo
        moscow | Moscú; toronto | Toronto; lima | Lima; oslo | Oslo
        new_york | Nueva York; delhi | Delhi; lyon | Lyon; milan | Milán; barcelona | Barcelona
        munich | Múnich; salzburg | Salzburgo; porto | Oporto; osaka | Osaka; montreal | Montreal
        bergen | Bergen; los_angeles | Los Ángeles
        """,
        patterns={"en": "en/ADP {}", "a": "a/ADP {}"},
    ),
    **table(
        "country",
        forms="nom",
        rows="""
        france | Francia; italy | Italia; spain | España; germany | Alemania; austria | Austria
        portugal | Portugal; japan | Japón; egypt | Egipto; russia | Rusia; canada | Canadá; peru | Perú
        norway | Noruega; america | Estados Unidos; india | la/DET India
        """,
        patterns={"en": "en/ADP {}", "de": "de/ADP {}"},
    ),
    **table(
        "org",
        forms="nom",
        rows="""
        norvik | Norvik; orbitel | Orbitel; lumena | Lumena; vectora | Vectora; alpina_group | Alpina Group
        polaris | Polaris; zenta | Zenta; corvida | Corvida; tavira_air | Tavira Air; delfina | Delfina
        nimbus | Nimbus; altera | Altera; brista_group | Brista Group; solveta | Solveta; kestra | Kestra
        marvena | Marvena
        """,
        patterns={"para": "para/ADP {}"},
    ),
    **table(
        "job",
        forms="nom | nom.f",
        rows="""
        doctor | médico | médica; teacher | profesor | profesora; lawyer | abogado | abogada
        engineer | ingeniero | ingeniera; journalist | periodista; cook | cocinero | cocinera
        baker | panadero | panadera; pilot | piloto; architect | arquitecto | arquitecta
        painter | pintor | pintora; singer | cantante; pharmacist | farmacéutico | farmacéutica
        surgeon | cirujano | cirujana; musician | músico | música; pianist | pianista
        violinist | violinista; writer | escritor | escritora; poet | poeta; novelist | novelista
        """,
    ),
    **table(
        "thing",
        forms="acc",
        rows="""
        flower | una/DET flor; rose | una/DET rosa; red_rose | una/DET rosa roja/ADJ
        tulip | un/DET tulipán; white_tulip | un/DET tulipán blanco/ADJ; fruit | una/DET fruta
        apple | una/DET manzana; green_apple | una/DET manzana verde/ADJ; pear | una/DET pera
        yellow_pear | una/DET pera amarilla/ADJ; animal | un/DET animal; dog | un/DET perro
        black_dog | un/DET perro negro/ADJ; cat | un/DET gato; white_cat | un/DET gato blanco/ADJ
        horse | un/DET caballo; instrument | un/DET instrumento musical/ADJ; guitar | una/DET guitarra
        old_guitar | una/DET guitarra vieja/ADJ; violin | un/DET violín; new_violin | un/DET violín nuevo/ADJ
        flute | una/DET flauta; book | un/DET libro; novel | una/DET novela; dictionary | un/DET diccionario
        old_dictionary | un/DET diccionario viejo/ADJ; tool | una/DET herramienta; hammer | un/DET martillo
        new_hammer | un/DET martillo nuevo/ADJ; saw | una/DET sierra; toy | un/DET juguete
        doll | una/DET muñeca; ball | una/DET pelota; big_ball | una/DET pelota grande/ADJ
        """,
        patterns={"neg": _none_of},
    ),
    **table(
        "venue",
        forms="en",
        rows="""
        museum | en/ADP el/DET museo; park | en/ADP el/DET parque; library | en/ADP la/DET biblioteca
        restaurant | en/ADP el/DET restaurante; station | en/ADP la/DET estación
        theatre | en/ADP el/DET teatro; market | en/ADP el/DET mercado; school | en/ADP la/DET escuela
        """,
    ),
    **table(
        "event",
        forms="a",
        rows="""
        concert | al/ADP concierto; wedding | a/ADP la/DET boda; party | a/ADP la/DET fiesta
        dinner | a/ADP la/DET cena; exhibition | a/ADP la/DET exposición; meeting | a/ADP la/DET reunión
        """,
    ),
    **table(
        "day",
        forms="el",
        rows="""
        monday | el/DET lunes; tuesday | el/DET martes; wednesday | el/DET miércoles
        thursday | el/DET jueves; friday | el/DET viernes; saturday | el/DET sábado
        sunday | el/DET domingo; yesterday | ayer/ADV; today | hoy/ADV
        """,
    ),
}

TEMPLATES = {
    "lives_in.say": "{agent.nom} vive/VERB {place.en}",
    "lives_in.turn": "el/DET domicilio/NOUN {agent.de} está/AUX {place.en}",
    "lives_in.deny": "{agent.nom} no/ADV vive/VERB {place.en}",
    "lives_in.ask_agent": "quién/PRON vive/VERB {place.en}",
    "lives_in.ask_place": "dónde/ADV vive/VERB {agent.nom}",
    "works_as.say": "{agent.nom} trabaja/VERB como/SCONJ {job.nom@agent}",
    "works_as.turn": "{agent.nom} es/AUX {job.nom@agent} de/ADP profesión/NOUN",
    "works_as.deny": "{agent.nom} no/ADV trabaja/VERB como/SCONJ {job.nom@agent}",
    "works_as.ask_agent": "quién/PRON trabaja/VERB como/SCONJ {job.nom@agent}",
    "works_as.ask_job": "cuál/PRON es/AUX la/DET profesión/NOUN {agent.de}",
    "works_for.say": "{agent.nom} trabaja/VERB {org.para}",
    "works_for.turn": "{org.nom} emplea/VERB {agent.a}",
    "works_for.deny": "{agent.nom} no/ADV trabaja/VERB {org.para}",
    "works_for.ask_agent": "quién/PRON trabaja/VERB {org.para}",
    "works_for.ask_org": "para/ADP qué/DET empresa/NOUN trabaja/VERB {agent.nom}",
    "born_in.say": "{agent.nom} nació/VERB {place.en?} {year.en?}",
    "born_in.front": "{year.en} nació/VERB {agent.nom} {place.en?}",
    "born_in.turn": "{agent.nom} vino/VERB al/ADP mundo/NOUN {place.en?} {year.en?}",
    "born_in.deny": "{agent.nom} no/ADV nació/VERB {place.en?} {year.en?}",
    "born_in.ask_agent": "quién/PRON nació/VERB {place.en?} {year.en?}",
    "born_in.ask_place": "dónde/ADV nació/VERB {agent.nom} {year.en?}",
    "born_in.ask_year": "en/ADP qué/DET año/NOUN nació/VERB {agent.nom} {place.en?}",
    "founded.say": "{agent.nom} fundó/VERB {org.nom} {year.en?}",
    "founded.front": "{year.en} {agent.nom} fundó/VERB {org.nom}",
    "founded.turn": "{org.nom} fue/AUX fundada/VERB {agent.por} {year.en?}",
    "founded.deny": "{agent.nom} no/ADV fundó/VERB {org.nom} {year.en?}",
    "founded.ask_agent": "quién/PRON fundó/VERB {org.nom} {year.en?}",
    "founded.ask_org": "qué/DET empresa/NOUN fundó/VERB {agent.nom} {year.en?}",
    "founded.ask_year": "en/ADP qué/DET año/NOUN fundó/VERB {agent.nom} la/DET empresa/NOUN {org.nom}",
    "older_than.say": "{agent.nom} es/AUX mayor/ADJ {patient.que}",
    "older_than.turn": "{patient.nom} es/AUX menor/ADJ {agent.que}",
    "older_than.deny": "{agent.nom} no/ADV es/AUX mayor/ADJ {patient.que}",
    "older_than.ask_agent": "quién/PRON es/AUX mayor/ADJ {patient.que}",
    "older_than.ask_patient": "quién/PRON es/AUX menor/ADJ {agent.que}",
    "parent_of.say": "{agent.nom} es/AUX (agent|m=el|f=la)/DET (agent|m=padre|f=madre)/NOUN {patient.de}",
    "parent_of.turn": "{patient.nom} es/AUX (patient|m=el|f=la)/DET (patient|m=hijo|f=hija)/NOUN {agent.de}",
    "parent_of.deny": "{agent.nom} no/ADV es/AUX (agent|m=el|f=la)/DET (agent|m=padre|f=madre)/NOUN "
    "{patient.de}",
    "parent_of.ask_agent": "quién/PRON es/AUX (agent|m=el|f=la)/DET (agent|m=padre|f=madre)/NOUN "
    "{patient.de}",
    "parent_of.ask_patient": "quién/PRON es/AUX (patient|m=el|f=la)/DET (patient|m=hijo|f=hija)/NOUN "
    "{agent.de}",
    "in_country.say": "{city.nom} es/AUX una/DET ciudad/NOUN {country.de}",
    "in_country.turn": "{city.nom} se/PRON encuentra/VERB {country.en}",
    "in_country.deny": "{city.nom} no/ADV es/AUX una/DET ciudad/NOUN {country.de}",
    "in_country.ask_city": "qué/DET ciudad/NOUN se/PRON encuentra/VERB {country.en}",
    "in_country.ask_country": "en/ADP qué/DET país/NOUN se/PRON encuentra/VERB {city.nom}",
    "bought.say": "{agent.nom} compró/VERB {theme.acc} {source.a?} {time.el?}",
    "bought.front": "{time.el} {agent.nom} compró/VERB {theme.acc} {source.a?}",
    "bought.turn": "{source.nom} le/PRON vendió/VERB {theme.acc} {agent.a} {time.el?}",
    "bought.deny": "{agent.nom} no/ADV compró/VERB {theme.neg} {source.a?} {time.el?}",
    "bought.ask_agent": "quién/PRON compró/VERB {theme.acc} {source.a?} {time.el?}",
    "bought.ask_theme": "qué/PRON compró/VERB {agent.nom} {source.a?} {time.el?}",
    "bought.ask_source": "a/ADP quién/PRON le/PRON compró/VERB {agent.nom} {theme.acc} {time.el?}",
    "bought.ask_time": "cuándo/ADV compró/VERB {agent.nom} {theme.acc} {source.a?}",
    "gave.say": "{agent.nom} le/PRON dio/VERB {theme.acc} {recipient.a} {time.el?}",
    "gave.front": "{time.el} {agent.nom} le/PRON dio/VERB {theme.acc} {recipient.a}",
    "gave.turn": "{recipient.nom} recibió/VERB {theme.acc} {agent.de} {time.el?}",
    "gave.deny": "{agent.nom} no/ADV le/PRON dio/VERB {theme.neg} {recipient.a} {time.el?}",
    "gave.ask_agent": "quién/PRON le/PRON dio/VERB {theme.acc} {recipient.a} {time.el?}",
    "gave.ask_theme": "qué/PRON le/PRON dio/VERB {agent.nom} {recipient.a} {time.el?}",
    "gave.ask_recipient": "a/ADP quién/PRON le/PRON dio/VERB {agent.nom} {theme.acc} {time.el?}",
    "gave.ask_time": "cuándo/ADV le/PRON dio/VERB {agent.nom} {theme.acc} {recipient.a}",
    "met.say": "{agent.nom} se/PRON encontró/VERB {patient.con} {venue.en?} {time.el?}",
    "met.front": "{time.el} {agent.nom} se/PRON encontró/VERB {patient.con} {venue.en?}",
    "met.turn": "{patient.nom} se/PRON encontró/VERB {agent.con} {venue.en?} {time.el?}",
    "met.deny": "{agent.nom} no/ADV se/PRON encontró/VERB {patient.con} {venue.en?} {time.el?}",
    "met.ask_agent": "quién/PRON se/PRON encontró/VERB {patient.con} {venue.en?} {time.el?}",
    "met.ask_patient": "con/ADP quién/PRON se/PRON encontró/VERB {agent.nom} {venue.en?} {time.el?}",
    "met.ask_venue": "dónde/ADV se/PRON encontró/VERB {agent.nom} {patient.con} {time.el?}",
    "met.ask_time": "cuándo/ADV se/PRON encontró/VERB {agent.nom} {patient.con} {venue.en?}",
    "helped.say": "{agent.nom} ayudó/VERB {patient.a} {venue.en?} {time.el?}",
    "helped.front": "{time.el} {agent.nom} ayudó/VERB {patient.a} {venue.en?}",
    "helped.turn": "{patient.nom} recibió/VERB ayuda/NOUN {agent.de} {venue.en?} {time.el?}",
    "helped.deny": "{agent.nom} no/ADV ayudó/VERB {patient.a} {venue.en?} {time.el?}",
    "helped.ask_agent": "quién/PRON ayudó/VERB {patient.a} {venue.en?} {time.el?}",
    "helped.ask_patient": "a/ADP quién/PRON ayudó/VERB {agent.nom} {venue.en?} {time.el?}",
    "helped.ask_venue": "dónde/ADV ayudó/VERB {agent.nom} {patient.a} {time.el?}",
    "helped.ask_time": "cuándo/ADV ayudó/VERB {agent.nom} {patient.a} {venue.en?}",
    "called.say": "{agent.nom} llamó/VERB por/ADP teléfono/NOUN {patient.a} {time.el?}",
    "called.front": "{time.el} {agent.nom} llamó/VERB por/ADP teléfono/NOUN {patient.a}",
    "called.turn": "{patient.nom} recibió/VERB una/DET llamada/NOUN telefónica/ADJ {agent.de} {time.el?}",
    "called.deny": "{agent.nom} no/ADV llamó/VERB por/ADP teléfono/NOUN {patient.a} {time.el?}",
    "called.ask_agent": "quién/PRON llamó/VERB por/ADP teléfono/NOUN {patient.a} {time.el?}",
    "called.ask_patient": "a/ADP quién/PRON llamó/VERB {agent.nom} por/ADP teléfono/NOUN {time.el?}",
    "called.ask_time": "cuándo/ADV llamó/VERB {agent.nom} por/ADP teléfono/NOUN {patient.a}",
    "invited.say": "{agent.nom} invitó/VERB {patient.a} {event.a}",
    "invited.turn": "{patient.nom} recibió/VERB {agent.de} una/DET invitación/NOUN {event.a}",
    "invited.deny": "{agent.nom} no/ADV invitó/VERB {patient.a} {event.a}",
    "invited.ask_agent": "quién/PRON invitó/VERB {patient.a} {event.a}",
    "invited.ask_patient": "a/ADP quién/PRON invitó/VERB {agent.nom} {event.a}",
    "invited.ask_event": "a/ADP qué/PRON invitó/VERB {agent.nom} {patient.a}",
    "travelled_to.say": "{agent.nom} viajó/VERB {place.a} {time.el?}",
    "travelled_to.front": "{time.el} {agent.nom} viajó/VERB {place.a}",
    "travelled_to.turn": "{agent.nom} hizo/VERB un/DET viaje/NOUN {place.a} {time.el?}",
    "travelled_to.deny": "{agent.nom} no/ADV viajó/VERB {place.a} {time.el?}",
    "travelled_to.ask_agent": "quién/PRON viajó/VERB {place.a} {time.el?}",
    "travelled_to.ask_place": "adónde/ADV viajó/VERB {agent.nom} {time.el?}",
    "travelled_to.ask_time": "cuándo/ADV viajó/VERB {agent.nom} {place.a}",
}

LANGUAGE = Language(
    code="es",
    name="Spanish",
    words=WORDS,
    templates=TEMPLATES,
    years={"en": "en/ADP {}"},
    joins={
        "and": "{first} y/CCONJ {second}",
        "and i": "{first} e/CCONJ {second}",
        "but": "{first} ,/PUNCT pero/CCONJ {second}",
    },
    question=("¿", "?"),
)
