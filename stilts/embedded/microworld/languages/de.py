"""German. Contractions stay fused, as XTREME has them: "im" and "zum" are one ADP each."""

from stilts.embedded.microworld.grammar import Language, table

WORDS = {
    **table(
        "person",
        forms="nom",
        rows="""
        anna | Anna; maria | Maria; laura | Laura; sofia | Sofia; clara | Clara; nina | Nina; julia | Julia
        elena | Elena; diana | Diana; vera | Vera; emma | Emma; lisa | Lisa; nora | Nora; paula | Paula
        irina | Irina; sara | Sara; peter | Peter; martin | Martin; david | David; daniel | Daniel
        robert | Robert; thomas | Thomas; adam | Adam; simon | Simon; victor | Viktor; oscar | Oskar
        leon | Leon; felix | Felix; anton | Anton; max | Max; edgar | Edgar; conrad | Konrad
        """,
        patterns={"von": "von/ADP {}", "an": "an/ADP {}"},
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
    **table("pronoun", forms="nom", rows="she | sie; he | er"),
    **table(
        "city",
        forms="nom",
        rows="""
        paris | Paris; rome | Rom; madrid | Madrid; berlin | Berlin; vienna | Wien; lisbon | Lissabon
        tokyo | Tokio; cairo | Kairo; moscow | Moskau; toronto | Toronto; lima | Lima; oslo | Oslo
        new_york | New York; delhi | Delhi; lyon | Lyon; milan | Mailand; barcelona | Barcelona
        munich | München; salzburg | Salzburg; porto | Porto; osaka | Osaka; montreal | Montreal
        bergen | Bergen; los_angeles | Los Angeles
        """,
        patterns={"in": "in/ADP {}", "nach": "nach/ADP {}"},
    ),
    **table(
        "country",
        forms="nom | in",
        rows="""
        france | Frankreich; italy | Italien; spain | Spanien; germany | Deutschland; austria | Österreich
        portugal | Portugal; japan | Japan; egypt | Ägypten; russia | Russland; canada | Kanada
        peru | Peru; norway | Norwegen; india | Indien
        america | die/DET USA | in/ADP den/DET USA
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
        patterns={"für": "für/ADP {}"},
    ),
    **table(
        "job",
        forms="nom.m | nom.f",
        rows="""
        doctor | Arzt | Ärztin; teacher | Lehrer | Lehrerin; lawyer | Anwalt | Anwältin
        engineer | Ingenieur | Ingenieurin; journalist | Journalist | Journalistin; cook | Koch | Köchin
        baker | Bäcker | Bäckerin; pilot | Pilot | Pilotin; architect | Architekt | Architektin
        painter | Maler | Malerin; singer | Sänger | Sängerin; pharmacist | Apotheker | Apothekerin
        surgeon | Chirurg | Chirurgin; musician | Musiker | Musikerin; pianist | Pianist | Pianistin
        violinist | Geiger | Geigerin; writer | Schriftsteller | Schriftstellerin; poet | Dichter | Dichterin
        novelist | Romanautor | Romanautorin
        """,
    ),
    **table(
        "thing",
        forms="acc | neg",
        rows="""
        flower | eine/DET Blume; rose | eine/DET Rose; red_rose | eine/DET rote/ADJ Rose
        tulip | eine/DET Tulpe
        white_tulip | eine/DET weiße/ADJ Tulpe; fruit | eine/DET Frucht; apple | einen/DET Apfel
        green_apple | einen/DET grünen/ADJ Apfel; pear | eine/DET Birne
        yellow_pear | eine/DET gelbe/ADJ Birne
        animal | ein/DET Tier; dog | einen/DET Hund; black_dog | einen/DET schwarzen/ADJ Hund
        cat | eine/DET Katze; white_cat | eine/DET weiße/ADJ Katze; horse | ein/DET Pferd
        instrument | ein/DET Musikinstrument; guitar | eine/DET Gitarre
        old_guitar | eine/DET alte/ADJ Gitarre
        violin | eine/DET Geige; new_violin | eine/DET neue/ADJ Geige; flute | eine/DET Flöte
        book | ein/DET Buch
        novel | einen/DET Roman; dictionary | ein/DET Wörterbuch
        old_dictionary | ein/DET altes/ADJ Wörterbuch; tool | ein/DET Werkzeug; hammer | einen/DET Hammer
        new_hammer | einen/DET neuen/ADJ Hammer; saw | eine/DET Säge; toy | ein/DET Spielzeug
        doll | eine/DET Puppe; ball | einen/DET Ball; big_ball | einen/DET großen/ADJ Ball
        """,
        patterns={"neg": lambda text: "k" + text},
    ),
    **table(
        "venue",
        forms="in",
        rows="""
        museum | im/ADP Museum; park | im/ADP Park; library | in/ADP der/DET Bibliothek
        restaurant | im/ADP Restaurant; station | am/ADP Bahnhof; theatre | im/ADP Theater
        market | auf/ADP dem/DET Markt; school | in/ADP der/DET Schule
        """,
    ),
    **table(
        "event",
        forms="zu",
        rows="""
        concert | zum/ADP Konzert; wedding | zur/ADP Hochzeit; party | zur/ADP Party
        dinner | zum/ADP Abendessen; exhibition | zur/ADP Ausstellung; meeting | zum/ADP Treffen
        """,
    ),
    **table(
        "day",
        forms="am",
        rows="""
        monday | am/ADP Montag; tuesday | am/ADP Dienstag; wednesday | am/ADP Mittwoch
        thursday | am/ADP Donnerstag; friday | am/ADP Freitag; saturday | am/ADP Samstag
        sunday | am/ADP Sonntag; yesterday | gestern/ADV; today | heute/ADV
        """,
    ),
}

TEMPLATES = {
    "lives_in.say": "{agent.nom} wohnt/VERB {place.in}",
    "lives_in.turn": "{agent.nom} ist/AUX {place.in} zu/ADP Hause/NOUN",
    "lives_in.deny": "{agent.nom} wohnt/VERB nicht/PART {place.in}",
    "lives_in.ask_agent": "Wer/PRON wohnt/VERB {place.in}",
    "lives_in.ask_place": "Wo/ADV wohnt/VERB {agent.nom}",
    "works_as.say": "{agent.nom} arbeitet/VERB als/CCONJ {job.nom@agent}",
    "works_as.turn": "{agent.nom} ist/AUX von/ADP Beruf/NOUN {job.nom@agent}",
    "works_as.deny": "{agent.nom} arbeitet/VERB nicht/PART als/CCONJ {job.nom@agent}",
    "works_as.ask_agent": "Wer/PRON arbeitet/VERB als/CCONJ {job.nom@agent}",
    "works_as.ask_job": "Was/PRON ist/AUX {agent.nom} von/ADP Beruf/NOUN",
    "works_for.say": "{agent.nom} arbeitet/VERB {org.für}",
    "works_for.turn": "{org.nom} beschäftigt/VERB {agent.nom}",
    "works_for.deny": "{agent.nom} arbeitet/VERB nicht/PART {org.für}",
    "works_for.ask_agent": "Wer/PRON arbeitet/VERB {org.für}",
    "works_for.ask_org": "Für/ADP welche/DET Firma/NOUN arbeitet/VERB {agent.nom}",
    "born_in.say": "{agent.nom} wurde/AUX {year.im?} {place.in?} geboren/VERB",
    "born_in.front": "{year.im} wurde/AUX {agent.nom} {place.in?} geboren/VERB",
    "born_in.turn": "{agent.nom} kam/VERB {year.im?} {place.in?} zur/ADP Welt/NOUN",
    "born_in.deny": "{agent.nom} wurde/AUX nicht/PART {year.im?} {place.in?} geboren/VERB",
    "born_in.ask_agent": "Wer/PRON wurde/AUX {year.im?} {place.in?} geboren/VERB",
    "born_in.ask_place": "Wo/ADV wurde/AUX {agent.nom} {year.im?} geboren/VERB",
    "born_in.ask_year": "In/ADP welchem/DET Jahr/NOUN wurde/AUX {agent.nom} {place.in?} geboren/VERB",
    "founded.say": "{agent.nom} gründete/VERB {year.im?} {org.nom}",
    "founded.front": "{year.im} gründete/VERB {agent.nom} {org.nom}",
    "founded.turn": "{org.nom} wurde/AUX {year.im?} {agent.von} gegründet/VERB",
    "founded.deny": "{agent.nom} gründete/VERB {org.nom} nicht/PART {year.im?}",
    "founded.ask_agent": "Wer/PRON gründete/VERB {year.im?} {org.nom}",
    "founded.ask_org": "Welche/DET Firma/NOUN gründete/VERB {agent.nom} {year.im?}",
    "founded.ask_year": "In/ADP welchem/DET Jahr/NOUN gründete/VERB {agent.nom} {org.nom}",
    "older_than.say": "{agent.nom} ist/AUX älter/ADJ als/CCONJ {patient.nom}",
    "older_than.turn": "{patient.nom} ist/AUX jünger/ADJ als/CCONJ {agent.nom}",
    "older_than.deny": "{agent.nom} ist/AUX nicht/PART älter/ADJ als/CCONJ {patient.nom}",
    "older_than.ask_agent": "Wer/PRON ist/AUX älter/ADJ als/CCONJ {patient.nom}",
    "older_than.ask_patient": "Wer/PRON ist/AUX jünger/ADJ als/CCONJ {agent.nom}",
    "parent_of.say": "{agent.nom} ist/AUX (agent|m=der|f=die)/DET (agent|m=Vater|f=Mutter)/NOUN "
    "{patient.von}",
    "parent_of.turn": "{patient.nom} ist/AUX (patient|m=der|f=die)/DET (patient|m=Sohn|f=Tochter)/NOUN "
    "{agent.von}",
    "parent_of.deny": "{agent.nom} ist/AUX nicht/PART (agent|m=der|f=die)/DET (agent|m=Vater|f=Mutter)/NOUN "
    "{patient.von}",
    "parent_of.ask_agent": "Wer/PRON ist/AUX (agent|m=der|f=die)/DET (agent|m=Vater|f=Mutter)/NOUN "
    "{patient.von}",
    "parent_of.ask_patient": "Wer/PRON ist/AUX (patient|m=der|f=die)/DET (patient|m=Sohn|f=Tochter)/NOUN "
    "{agent.von}",
    "in_country.say": "{city.nom} ist/AUX eine/DET Stadt/NOUN {country.in}",
    "in_country.turn": "{city.nom} liegt/VERB {country.in}",
    "in_country.deny": "{city.nom} ist/AUX keine/DET Stadt/NOUN {country.in}",
    "in_country.ask_city": "Welche/DET Stadt/NOUN liegt/VERB {country.in}",
    "in_country.ask_country": "In/ADP welchem/DET Land/NOUN liegt/VERB {city.nom}",
    "bought.say": "{agent.nom} kaufte/VERB {time.am?} {theme.acc} {source.von?}",
    "bought.front": "{time.am} kaufte/VERB {agent.nom} {theme.acc} {source.von?}",
    "bought.turn": "{source.nom} verkaufte/VERB {time.am?} {theme.acc} {agent.an}",
    "bought.deny": "{agent.nom} kaufte/VERB {time.am?} {theme.neg} {source.von?}",
    "bought.ask_agent": "Wer/PRON kaufte/VERB {time.am?} {theme.acc} {source.von?}",
    "bought.ask_theme": "Was/PRON kaufte/VERB {agent.nom} {time.am?} {source.von?}",
    "bought.ask_source": "Von/ADP wem/PRON kaufte/VERB {agent.nom} {time.am?} {theme.acc}",
    "bought.ask_time": "Wann/ADV kaufte/VERB {agent.nom} {theme.acc} {source.von?}",
    "gave.say": "{agent.nom} gab/VERB {recipient.nom} {time.am?} {theme.acc}",
    "gave.front": "{time.am} gab/VERB {agent.nom} {recipient.nom} {theme.acc}",
    "gave.turn": "{recipient.nom} erhielt/VERB {time.am?} {theme.acc} {agent.von}",
    "gave.deny": "{agent.nom} gab/VERB {recipient.nom} {time.am?} {theme.neg}",
    "gave.ask_agent": "Wer/PRON gab/VERB {recipient.nom} {time.am?} {theme.acc}",
    "gave.ask_theme": "Was/PRON gab/VERB {agent.nom} {recipient.nom} {time.am?}",
    "gave.ask_recipient": "Wem/PRON gab/VERB {agent.nom} {time.am?} {theme.acc}",
    "gave.ask_time": "Wann/ADV gab/VERB {agent.nom} {recipient.nom} {theme.acc}",
    "met.say": "{agent.nom} traf/VERB {patient.nom} {time.am?} {venue.in?}",
    "met.front": "{time.am} traf/VERB {agent.nom} {patient.nom} {venue.in?}",
    "met.turn": "{patient.nom} traf/VERB {agent.nom} {time.am?} {venue.in?}",
    "met.deny": "{agent.nom} traf/VERB {patient.nom} {time.am?} nicht/PART {venue.in?}",
    "met.ask_agent": "Wer/PRON traf/VERB {patient.nom} {time.am?} {venue.in?}",
    "met.ask_patient": "Wen/PRON traf/VERB {agent.nom} {time.am?} {venue.in?}",
    "met.ask_venue": "Wo/ADV traf/VERB {agent.nom} {patient.nom} {time.am?}",
    "met.ask_time": "Wann/ADV traf/VERB {agent.nom} {patient.nom} {venue.in?}",
    "helped.say": "{agent.nom} half/VERB {patient.nom} {time.am?} {venue.in?}",
    "helped.front": "{time.am} half/VERB {agent.nom} {patient.nom} {venue.in?}",
    "helped.turn": "{patient.nom} bekam/VERB {time.am?} {venue.in?} Hilfe/NOUN {agent.von}",
    "helped.deny": "{agent.nom} half/VERB {patient.nom} {time.am?} nicht/PART {venue.in?}",
    "helped.ask_agent": "Wer/PRON half/VERB {patient.nom} {time.am?} {venue.in?}",
    "helped.ask_patient": "Wem/PRON half/VERB {agent.nom} {time.am?} {venue.in?}",
    "helped.ask_venue": "Wo/ADV half/VERB {agent.nom} {patient.nom} {time.am?}",
    "helped.ask_time": "Wann/ADV half/VERB {agent.nom} {patient.nom} {venue.in?}",
    "called.say": "{agent.nom} rief/VERB {patient.nom} {time.am?} an/ADP",
    "called.front": "{time.am} rief/VERB {agent.nom} {patient.nom} an/ADP",
    "called.turn": "{patient.nom} bekam/VERB {time.am?} einen/DET Anruf/NOUN {agent.von}",
    "called.deny": "{agent.nom} rief/VERB {patient.nom} {time.am?} nicht/PART an/ADP",
    "called.ask_agent": "Wer/PRON rief/VERB {patient.nom} {time.am?} an/ADP",
    "called.ask_patient": "Wen/PRON rief/VERB {agent.nom} {time.am?} an/ADP",
    "called.ask_time": "Wann/ADV rief/VERB {agent.nom} {patient.nom} an/ADP",
    "invited.say": "{agent.nom} lud/VERB {patient.nom} {event.zu} ein/ADP",
    "invited.turn": "{patient.nom} bekam/VERB {agent.von} eine/DET Einladung/NOUN {event.zu}",
    "invited.deny": "{agent.nom} lud/VERB {patient.nom} nicht/PART {event.zu} ein/ADP",
    "invited.ask_agent": "Wer/PRON lud/VERB {patient.nom} {event.zu} ein/ADP",
    "invited.ask_patient": "Wen/PRON lud/VERB {agent.nom} {event.zu} ein/ADP",
    "invited.ask_event": "Wozu/ADV lud/VERB {agent.nom} {patient.nom} ein/ADP",
    "travelled_to.say": "{agent.nom} reiste/VERB {time.am?} {place.nach}",
    "travelled_to.front": "{time.am} reiste/VERB {agent.nom} {place.nach}",
    "travelled_to.turn": "{agent.nom} machte/VERB {time.am?} eine/DET Reise/NOUN {place.nach}",
    "travelled_to.deny": "{agent.nom} reiste/VERB {time.am?} nicht/PART {place.nach}",
    "travelled_to.ask_agent": "Wer/PRON reiste/VERB {time.am?} {place.nach}",
    "travelled_to.ask_place": "Wohin/ADV reiste/VERB {agent.nom} {time.am?}",
    "travelled_to.ask_time": "Wann/ADV reiste/VERB {agent.nom} {place.nach}",
}

LANGUAGE = Language(
    code="de",
    name="German",
    words=WORDS,
    templates=TEMPLATES,
    years={"im": "im/ADP Jahr/NOUN [{}]"},
    joins={"and": "{first} und/CCONJ {second}", "but": "{first} ,/PUNCT aber/CCONJ {second}"},
)
