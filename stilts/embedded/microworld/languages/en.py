"""English. The one language that trains, and the one whose words carry CCG categories."""

from stilts.embedded.microworld.grammar import Language, table

WORDS = {
    **table(
        "person",
        forms="nom",
        rows="""
        anna | Anna; maria | Maria; laura | Laura; sofia | Sofia; clara | Clara; nina | Nina; julia | Julia
        elena | Elena; diana | Diana; vera | Vera; emma | Emma; lisa | Lisa; nora | Nora; paula | Paula
        irina | Irina; sara | Sara; peter | Peter; martin | Martin; david | David; daniel | Daniel
        robert | Robert; thomas | Thomas; adam | Adam; simon | Simon; victor | Victor; oscar | Oscar
        leon | Leon; felix | Felix; anton | Anton; max | Max; edgar | Edgar; conrad | Conrad
        """,
        patterns={
            "from": "from/ADP {}",
            "to": "to/ADP {}",
            "of": "of/ADP {}",
            "by": "by/ADP {}",
            "than": "than/ADP {}",
        },
    ),
    **table(
        "surname",
        forms="nom",
        rows="""
        rossi | Rossi; moreno | Moreno; romano | Romano; marino | Marino; conti | Conti; sato | Sato
        ito | Ito
        bruni | Bruni; franco | Franco; kato | Kato; russo | Russo; ricci | Ricci; mori | Mori
        navarro | Navarro; nakano | Nakano; longo | Longo
        """,
    ),
    **table("pronoun", forms="nom", rows="she | she; he | he"),
    **table(
        "city",
        forms="nom",
        rows="""
        paris | Paris; rome | Rome; madrid | Madrid; berlin | Berlin; vienna | Vienna; lisbon | Lisbon
        tokyo | Tokyo; cairo | Cairo; moscow | Moscow; toronto | Toronto; lima | Lima; oslo | Oslo
        new_york | New York; delhi | Delhi; lyon | Lyon; milan | Milan; barcelona | Barcelona
        munich | Munich; salzburg | Salzburg; porto | Porto; osaka | Osaka; montreal | Montreal
        bergen | Bergen; los_angeles | Los Angeles
        """,
        patterns={"in": "in/ADP {}", "to": "to/ADP {}"},
    ),
    **table(
        "country",
        forms="nom",
        rows="""
        france | France; italy | Italy; spain | Spain; germany | Germany; austria | Austria
        portugal | Portugal; japan | Japan; egypt | Egypt; russia | Russia; canada | Canada; peru | Peru
        norway | Norway; india | India; america | America
        """,
        patterns={"in": "in/ADP {}"},
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
        patterns={"for": "for/ADP {}"},
    ),
    **table(
        "job",
        forms="nom",
        rows="""
        doctor | a/DET doctor; teacher | a/DET teacher; lawyer | a/DET lawyer; engineer | an/DET engineer
        journalist | a/DET journalist; cook | a/DET cook; baker | a/DET baker; pilot | a/DET pilot
        architect | an/DET architect; painter | a/DET painter; singer | a/DET singer
        pharmacist | a/DET pharmacist; surgeon | a/DET surgeon; musician | a/DET musician
        pianist | a/DET pianist; violinist | a/DET violinist; writer | a/DET writer; poet | a/DET poet
        novelist | a/DET novelist
        """,
        patterns={"as": "as/ADP {}"},
    ),
    **table(
        "thing",
        forms="acc",
        rows="""
        flower | a/DET flower; rose | a/DET rose; red_rose | a/DET red/ADJ rose; tulip | a/DET tulip
        white_tulip | a/DET white/ADJ tulip; fruit | a/DET fruit; apple | an/DET apple
        green_apple | a/DET green/ADJ apple; pear | a/DET pear; yellow_pear | a/DET yellow/ADJ pear
        animal | an/DET animal; dog | a/DET dog; black_dog | a/DET black/ADJ dog; cat | a/DET cat
        white_cat | a/DET white/ADJ cat; horse | a/DET horse; instrument | a/DET musical/ADJ instrument
        guitar | a/DET guitar; old_guitar | an/DET old/ADJ guitar; violin | a/DET violin
        new_violin | a/DET new/ADJ violin; flute | a/DET flute; book | a/DET book; novel | a/DET novel
        dictionary | a/DET dictionary; old_dictionary | an/DET old/ADJ dictionary; tool | a/DET tool
        hammer | a/DET hammer; new_hammer | a/DET new/ADJ hammer; saw | a/DET saw; toy | a/DET toy
        doll | a/DET doll; ball | a/DET ball; big_ball | a/DET big/ADJ ball
        """,
    ),
    **table(
        "venue",
        forms="at",
        rows="""
        museum | in/ADP the/DET museum; park | in/ADP the/DET park; library | in/ADP the/DET library
        restaurant | in/ADP the/DET restaurant; station | at/ADP the/DET station
        theatre | at/ADP the/DET theatre; market | at/ADP the/DET market; school | at/ADP the/DET school
        """,
    ),
    **table(
        "event",
        forms="to",
        rows="""
        concert | to/ADP the/DET concert; wedding | to/ADP the/DET wedding; party | to/ADP the/DET party
        dinner | to/ADP the/DET dinner; exhibition | to/ADP the/DET exhibition
        meeting | to/ADP the/DET meeting
        """,
    ),
    **table(
        "day",
        forms="on",
        rows="""
        monday | on/ADP Monday/PROPN; tuesday | on/ADP Tuesday/PROPN; wednesday | on/ADP Wednesday/PROPN
        thursday | on/ADP Thursday/PROPN; friday | on/ADP Friday/PROPN; saturday | on/ADP Saturday/PROPN
        sunday | on/ADP Sunday/PROPN; yesterday | yesterday/ADV; today | today/ADV
        """,
    ),
}

TEMPLATES = {
    "lives_in.say": "{agent.nom} lives/VERB:VP_PP {place.in}:PP",
    "lives_in.turn": "{agent.nom} 's/PART:POSS home/NOUN:N is/AUX:VP_PP {place.in}:PP",
    "lives_in.deny": "{agent.nom} does/AUX:DO not/PART:NOT live/VERB:B_PP {place.in}:PP",
    "lives_in.ask_agent": "Who/PRON lives/VERB {place.in}",
    "lives_in.ask_place": "Where/ADV does/AUX {agent.nom} live/VERB",
    "works_as.say": "{agent.nom} works/VERB:VP_PP {job.as}:PP",
    "works_as.turn": "{agent.nom} is/AUX:VP_NP {job.nom} by/ADP:NMOD profession/NOUN:N",
    "works_as.deny": "{agent.nom} does/AUX:DO not/PART:NOT work/VERB:B_PP {job.as}:PP",
    "works_as.ask_agent": "Who/PRON works/VERB {job.as}",
    "works_as.ask_job": "What/PRON is/AUX {agent.nom} 's/PART profession/NOUN",
    "works_for.say": "{agent.nom} works/VERB:VP_PP {org.for}:PP",
    "works_for.turn": "{org.nom} employs/VERB:VP_NP {agent.nom}",
    "works_for.deny": "{agent.nom} does/AUX:DO not/PART:NOT work/VERB:B_PP {org.for}:PP",
    "works_for.ask_agent": "Who/PRON works/VERB {org.for}",
    "works_for.ask_org": "Which/DET company/NOUN does/AUX {agent.nom} work/VERB for/ADP",
    "born_in.say": "{agent.nom} was/AUX:VP_PSS born/VERB:PSS {place.in?}:VMOD {year.in?}:VMOD",
    "born_in.front": "{year.in}:SMOD ,/PUNCT:COMMA {agent.nom} was/AUX:VP_PSS born/VERB:PSS {place.in?}:VMOD",
    "born_in.turn": "{agent.nom} came/VERB:VP_PP into/ADP:PP the/DET:DET world/NOUN:N "
    "{place.in?}:VMOD {year.in?}:VMOD",
    "born_in.deny": "{agent.nom} was/AUX:VP_PSS not/PART:NOT born/VERB:PSS {place.in?}:VMOD {year.in?}:VMOD",
    "born_in.ask_agent": "Who/PRON was/AUX born/VERB {place.in?} {year.in?}",
    "born_in.ask_place": "Where/ADV was/AUX {agent.nom} born/VERB {year.in?}",
    "born_in.ask_year": "In/ADP which/DET year/NOUN was/AUX {agent.nom} born/VERB {place.in?}",
    "founded.say": "{agent.nom} founded/VERB:VP_NP {org.nom} {year.in?}:VMOD",
    "founded.front": "{year.in}:SMOD ,/PUNCT:COMMA {agent.nom} founded/VERB:VP_NP {org.nom}",
    "founded.turn": "{org.nom} was/AUX:VP_PSS founded/VERB:PSS {agent.by}:VMOD {year.in?}:VMOD",
    "founded.deny": "{agent.nom} did/AUX:DO not/PART:NOT found/VERB:B_NP {org.nom} {year.in?}:VMOD",
    "founded.ask_agent": "Who/PRON founded/VERB {org.nom} {year.in?}",
    "founded.ask_org": "Which/DET company/NOUN did/AUX {agent.nom} found/VERB {year.in?}",
    "founded.ask_year": "In/ADP which/DET year/NOUN did/AUX {agent.nom} found/VERB {org.nom}",
    "older_than.say": "{agent.nom} is/AUX:VP_AP older/ADJ:AP_PP {patient.than}:PP",
    "older_than.turn": "{patient.nom} is/AUX:VP_AP younger/ADJ:AP_PP {agent.than}:PP",
    "older_than.deny": "{agent.nom} is/AUX:VP_AP not/PART:NOT older/ADJ:AP_PP {patient.than}:PP",
    "older_than.ask_agent": "Who/PRON is/AUX older/ADJ {patient.than}",
    "older_than.ask_patient": "Who/PRON is/AUX younger/ADJ {agent.than}",
    "parent_of.say": "{agent.nom} is/AUX:VP_NP the/DET:DET (agent|m=father|f=mother)/NOUN:N "
    "{patient.of}:NMOD",
    "parent_of.turn": "{patient.nom} is/AUX:VP_NP the/DET:DET (patient|m=son|f=daughter)/NOUN:N "
    "{agent.of}:NMOD",
    "parent_of.deny": "{agent.nom} is/AUX:VP_NP not/PART:NOT the/DET:DET (agent|m=father|f=mother)/NOUN:N "
    "{patient.of}:NMOD",
    "parent_of.ask_agent": "Who/PRON is/AUX the/DET (agent|m=father|f=mother)/NOUN {patient.of}",
    "parent_of.ask_patient": "Who/PRON is/AUX the/DET (patient|m=son|f=daughter)/NOUN {agent.of}",
    "in_country.say": "{city.nom} is/AUX:VP_NP a/DET:DET city/NOUN:N {country.in}:NMOD",
    "in_country.turn": "{city.nom} lies/VERB:VP_PP {country.in}:PP",
    "in_country.deny": "{city.nom} is/AUX:VP_NP not/PART:NOT a/DET:DET city/NOUN:N {country.in}:NMOD",
    "in_country.ask_city": "Which/DET city/NOUN lies/VERB {country.in}",
    "in_country.ask_country": "In/ADP which/DET country/NOUN is/AUX {city.nom}",
    "bought.say": "{agent.nom} bought/VERB:VP_NP {theme.acc} {source.from?}:VMOD {time.on?}:VMOD",
    "bought.front": "{time.on}:SMOD ,/PUNCT:COMMA {agent.nom} bought/VERB:VP_NP {theme.acc} "
    "{source.from?}:VMOD",
    "bought.turn": "{source.nom} sold/VERB:VP_NP_PP {theme.acc} {agent.to}:PP {time.on?}:VMOD",
    "bought.deny": "{agent.nom} did/AUX:DO not/PART:NOT buy/VERB:B_NP {theme.acc} {source.from?}:VMOD "
    "{time.on?}:VMOD",
    "bought.ask_agent": "Who/PRON bought/VERB {theme.acc} {source.from?} {time.on?}",
    "bought.ask_theme": "What/PRON did/AUX {agent.nom} buy/VERB {source.from?} {time.on?}",
    "bought.ask_source": "From/ADP whom/PRON did/AUX {agent.nom} buy/VERB {theme.acc} {time.on?}",
    "bought.ask_time": "When/ADV did/AUX {agent.nom} buy/VERB {theme.acc} {source.from?}",
    "gave.say": "{agent.nom} gave/VERB:VP_NP_PP {theme.acc} {recipient.to}:PP {time.on?}:VMOD",
    "gave.front": "{time.on}:SMOD ,/PUNCT:COMMA {agent.nom} gave/VERB:VP_NP_PP {theme.acc} {recipient.to}:PP",
    "gave.turn": "{recipient.nom} received/VERB:VP_NP {theme.acc} {agent.from}:VMOD {time.on?}:VMOD",
    "gave.deny": "{agent.nom} did/AUX:DO not/PART:NOT give/VERB:B_NP_PP {theme.acc} {recipient.to}:PP "
    "{time.on?}:VMOD",
    "gave.ask_agent": "Who/PRON gave/VERB {theme.acc} {recipient.to} {time.on?}",
    "gave.ask_theme": "What/PRON did/AUX {agent.nom} give/VERB {recipient.to} {time.on?}",
    "gave.ask_recipient": "To/ADP whom/PRON did/AUX {agent.nom} give/VERB {theme.acc} {time.on?}",
    "gave.ask_time": "When/ADV did/AUX {agent.nom} give/VERB {theme.acc} {recipient.to}",
    "met.say": "{agent.nom} met/VERB:VP_NP {patient.nom} {venue.at?}:VMOD {time.on?}:VMOD",
    "met.front": "{time.on}:SMOD ,/PUNCT:COMMA {agent.nom} met/VERB:VP_NP {patient.nom} {venue.at?}:VMOD",
    "met.turn": "{patient.nom} met/VERB:VP_NP {agent.nom} {venue.at?}:VMOD {time.on?}:VMOD",
    "met.deny": "{agent.nom} did/AUX:DO not/PART:NOT meet/VERB:B_NP {patient.nom} {venue.at?}:VMOD "
    "{time.on?}:VMOD",
    "met.ask_agent": "Who/PRON met/VERB {patient.nom} {venue.at?} {time.on?}",
    "met.ask_patient": "Whom/PRON did/AUX {agent.nom} meet/VERB {venue.at?} {time.on?}",
    "met.ask_venue": "Where/ADV did/AUX {agent.nom} meet/VERB {patient.nom} {time.on?}",
    "met.ask_time": "When/ADV did/AUX {agent.nom} meet/VERB {patient.nom} {venue.at?}",
    "helped.say": "{agent.nom} helped/VERB:VP_NP {patient.nom} {venue.at?}:VMOD {time.on?}:VMOD",
    "helped.front": "{time.on}:SMOD ,/PUNCT:COMMA {agent.nom} helped/VERB:VP_NP {patient.nom} "
    "{venue.at?}:VMOD",
    "helped.turn": "{patient.nom} got/VERB:VP_NP help/NOUN:N {agent.from}:VMOD {venue.at?}:VMOD "
    "{time.on?}:VMOD",
    "helped.deny": "{agent.nom} did/AUX:DO not/PART:NOT help/VERB:B_NP {patient.nom} "
    "{venue.at?}:VMOD {time.on?}:VMOD",
    "helped.ask_agent": "Who/PRON helped/VERB {patient.nom} {venue.at?} {time.on?}",
    "helped.ask_patient": "Whom/PRON did/AUX {agent.nom} help/VERB {venue.at?} {time.on?}",
    "helped.ask_venue": "Where/ADV did/AUX {agent.nom} help/VERB {patient.nom} {time.on?}",
    "helped.ask_time": "When/ADV did/AUX {agent.nom} help/VERB {patient.nom} {venue.at?}",
    "called.say": "{agent.nom} phoned/VERB:VP_NP {patient.nom} {time.on?}:VMOD",
    "called.front": "{time.on}:SMOD ,/PUNCT:COMMA {agent.nom} phoned/VERB:VP_NP {patient.nom}",
    "called.turn": "{patient.nom} got/VERB:VP_NP a/DET:DET call/NOUN:N {agent.from}:VMOD {time.on?}:VMOD",
    "called.deny": "{agent.nom} did/AUX:DO not/PART:NOT phone/VERB:B_NP {patient.nom} {time.on?}:VMOD",
    "called.ask_agent": "Who/PRON phoned/VERB {patient.nom} {time.on?}",
    "called.ask_patient": "Whom/PRON did/AUX {agent.nom} phone/VERB {time.on?}",
    "called.ask_time": "When/ADV did/AUX {agent.nom} phone/VERB {patient.nom}",
    "invited.say": "{agent.nom} invited/VERB:VP_NP_PP {patient.nom} {event.to}:PP",
    "invited.turn": "{patient.nom} got/VERB:VP_NP an/DET:DET invitation/NOUN:N {event.to}:NMOD "
    "{agent.from}:VMOD",
    "invited.deny": "{agent.nom} did/AUX:DO not/PART:NOT invite/VERB:B_NP_PP {patient.nom} {event.to}:PP",
    "invited.ask_agent": "Who/PRON invited/VERB {patient.nom} {event.to}",
    "invited.ask_patient": "Whom/PRON did/AUX {agent.nom} invite/VERB {event.to}",
    "invited.ask_event": "What/PRON did/AUX {agent.nom} invite/VERB {patient.nom} to/ADP",
    "travelled_to.say": "{agent.nom} travelled/VERB:VP_PP {place.to}:PP {time.on?}:VMOD",
    "travelled_to.front": "{time.on}:SMOD ,/PUNCT:COMMA {agent.nom} travelled/VERB:VP_PP {place.to}:PP",
    "travelled_to.turn": "{agent.nom} made/VERB:VP_NP a/DET:DET trip/NOUN:N {place.to}:NMOD {time.on?}:VMOD",
    "travelled_to.deny": "{agent.nom} did/AUX:DO not/PART:NOT travel/VERB:B_PP {place.to}:PP {time.on?}:VMOD",
    "travelled_to.ask_agent": "Who/PRON travelled/VERB {place.to} {time.on?}",
    "travelled_to.ask_place": "Where/ADV did/AUX {agent.nom} travel/VERB {time.on?}",
    "travelled_to.ask_time": "When/ADV did/AUX {agent.nom} travel/VERB {place.to}",
}

CATEGORIES = {
    "N": "N",
    "DET": "NP[nb]/N",
    "POSS": r"(NP[nb]/N)\NP",
    "COMMA": ",",
    "CONJ": "conj",
    "NOT": r"(S\NP)\(S\NP)",
    "DO": r"(S[dcl]\NP)/(S[b]\NP)",
    "VP_PP": r"(S[dcl]\NP)/PP",
    "VP_NP": r"(S[dcl]\NP)/NP",
    "VP_NP_PP": r"((S[dcl]\NP)/PP)/NP",
    "VP_PSS": r"(S[dcl]\NP)/(S[pss]\NP)",
    "VP_AP": r"(S[dcl]\NP)/(S[adj]\NP)",
    "AP_PP": r"(S[adj]\NP)/PP",
    "PSS": r"S[pss]\NP",
    "B_PP": r"(S[b]\NP)/PP",
    "B_NP": r"(S[b]\NP)/NP",
    "B_NP_PP": r"((S[b]\NP)/PP)/NP",
    "PP": "PP/NP",
    "NMOD": r"(NP\NP)/NP",
    "VMOD": r"((S\NP)\(S\NP))/NP",
    "SMOD": "(S/S)/NP",
}

LANGUAGE = Language(
    code="en",
    name="English",
    words=WORDS,
    templates=TEMPLATES,
    years={"in": "in/ADP {}"},
    joins={"and": "{first} and/CCONJ:CONJ {second}", "but": "{first} ,/PUNCT:COMMA but/CCONJ:CONJ {second}"},
    categories=CATEGORIES,
)
