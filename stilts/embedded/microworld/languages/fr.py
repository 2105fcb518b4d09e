"""French. "au" and "du" are one ADP each; what is elided (d', l', n', qu') is a word that ends in '."""

from stilts.embedded.microworld.grammar import Language, table


def _elided(short: str, long: str, text: str) -> str:
    return f"{short} {text}" if text[0] in "AEIOUÉaeiouéô" else f"{long} {text}"


def _of(text: str) -> str:
    return _elided("d'/ADP", "de/ADP", text)


def _that(text: str) -> str:
    return _elided("qu'/SCONJ", "que/SCONJ", text)


def _none_of(text: str) -> str:
    return _elided("d'/DET", "de/DET", text.partition(" ")[2])


WORDS = {
    **table(
        "person",
        forms="nom",
        rows="""
        anna | Anna; maria | Maria; laura | Laura; sofia | Sofia; clara | Clara; nina | Nina; julia | Julia
        elena | Elena; diana | Diana; vera | Vera; emma | Emma; lisa | Lisa; nora | Nora; paula | Paula
        irina | Irina; sara | Sara; peter | Peter; martin | Martin; david | David; daniel | Daniel
        robert | Robert; thomas | Thomas; adam | Adam; simon | Simon; victor | Victor; oscar | Oscar
        leon | Léon; felix | Félix; anton | Anton; max | Max; edgar | Edgar; conrad | Conrad
        """,
        patterns={"à": "à/ADP {}", "par": "par/ADP {}", "de": _of, "que": _that},
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
    **table("pronoun", forms="nom", rows="she | elle; he | il"),
    **table(
        "city",
        forms="nom | à",
        rows="""
        paris | Paris; rome | Rome; madrid | Madrid; berlin | Berlin; vienna | Vienne; lisbon | Lisbonne
        tokyo | Tokyo; cairo | Le Caire | au/ADP Caire; moscow | Moscou; toronto | Toronto
        lima | Lima; oslo | Oslo; new_york | New York; delhi | Delhi; lyon | Lyon; milan | Milan
        barcelona | Barcelone; munich | Munich; salzburg | Salzbourg; porto | Porto; osaka | Osaka
        montreal | Montréal; bergen | Bergen; los_angeles | Los Angeles
        """,
        patterns={"à": "à/ADP {}"},
    ),
    **table(
        "country",
        forms="nom | en | de",
        rows="""
        france | France; italy | Italie; spain | Espagne; germany | Allemagne; austria | Autriche
        egypt | Égypte; russia | Russie; norway | Norvège; india | Inde
        portugal | Portugal | au/ADP Portugal | du/ADP Portugal; japan | Japon | au/ADP Japon | du/ADP Japon
        canada | Canada | au/ADP Canada | du/ADP Canada; peru | Pérou | au/ADP Pérou | du/ADP Pérou
        america | États-Unis | aux/ADP États-Unis | des/ADP États-Unis
        """,
        patterns={"en": "en/ADP {}", "de": _of},
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
        patterns={"pour": "pour/ADP {}"},
    ),
    **table(
        "job",
        forms="nom | nom.f",
        rows="""
        doctor | médecin; teacher | enseignant | enseignante; lawyer | avocat | avocate
        engineer | ingénieur | ingénieure; journalist | journaliste; cook | cuisinier | cuisinière
        baker | boulanger | boulangère; pilot | pilote; architect | architecte; painter | peintre
        singer | chanteur | chanteuse; pharmacist | pharmacien | pharmacienne
        surgeon | chirurgien | chirurgienne; musician | musicien | musicienne; pianist | pianiste
        violinist | violoniste; writer | écrivain | écrivaine; poet | poète | poétesse
        novelist | romancier | romancière
        """,
    ),
    **table(
        "thing",
        forms="acc",
        rows="""
        flower | une/DET fleur; rose | une/DET rose; red_rose | une/DET rose rouge/ADJ
        tulip | une/DET tulipe; white_tulip | une/DET tulipe blanche/ADJ; fruit | un/DET fruit
        apple | une/DET pomme; green_apple | une/DET pomme verte/ADJ; pear | une/DET poire
        yellow_pear | une/DET poire jaune/ADJ; animal | un/DET animal; dog | un/DET chien
        black_dog | un/DET chien noir/ADJ; cat | un/DET chat; white_cat | un/DET chat blanc/ADJ
        horse | un/DET cheval; instrument | un/DET instrument de/ADP musique; guitar | une/DET guitare
        old_guitar | une/DET vieille/ADJ guitare; violin | un/DET violon
        new_violin | un/DET nouveau/ADJ violon; flute | une/DET flûte; book | un/DET livre
        novel | un/DET roman; dictionary | un/DET dictionnaire
        old_dictionary | un/DET vieux/ADJ dictionnaire; tool | un/DET outil; hammer | un/DET marteau
        new_hammer | un/DET nouveau/ADJ marteau; saw | une/DET scie; toy | un/DET jouet
        doll | une/DET poupée; ball | un/DET ballon; big_ball | un/DET grand/ADJ ballon
        """,
        patterns={"neg": _none_of},
    ),
    **table(
        "venue",
        forms="à",
        rows="""
        museum | au/ADP musée; park | au/ADP parc; library | à/ADP la/DET bibliothèque
        restaurant | au/ADP restaurant; station | à/ADP la/DET gare; theatre | au/ADP théâtre
        market | au/ADP marché; school | à/ADP l'/DET école
        """,
    ),
    **table(
        "event",
        forms="à",
        rows="""
        concert | au/ADP concert; wedding | au/ADP mariage; party | à/ADP la/DET fête
        dinner | au/ADP dîner; exhibition | à/ADP l'/DET exposition; meeting | à/ADP la/DET réunion
        """,
    ),
    **table(
        "day",
        forms="le",
        rows="""
        monday | lundi; tuesday | mardi; wednesday | mercredi; thursday | jeudi; friday | vendredi
        saturday | samedi; sunday | dimanche; yesterday | hier/ADV; today | aujourd'hui/ADV
        """,
    ),
}

# A question keeps the subject before the verb and repeats it after: "Où Anna a-t-elle ...".
_HAS = "{agent.nom} a/AUX (agent|m=-t-il|f=-t-elle)/PRON"
_IS = "{agent.nom} est/AUX (agent|m=-il|f=-elle)/PRON"
_WHAT = "qu'/PRON est/AUX -ce/PRON {agent.que} a/AUX"
_PARENT = "(agent|m=le|f=la)/DET (agent|m=père|f=mère)/NOUN {patient.de}"
_CHILD = "(patient|m=le|f=la)/DET (patient|m=fils|f=fille)/NOUN {agent.de}"
_BORN = "(agent|m=né|f=née)/VERB"
_GONE = "(agent|m=rendu|f=rendue)/VERB"

TEMPLATES = {
    "lives_in.say": "{agent.nom} habite/VERB {place.à}",
    "lives_in.turn": "le/DET domicile/NOUN {agent.de} se/PRON trouve/VERB {place.à}",
    "lives_in.deny": "{agent.nom} n'/ADV habite/VERB pas/ADV {place.à}",
    "lives_in.ask_agent": "qui/PRON habite/VERB {place.à}",
    "lives_in.ask_place": "où/ADV habite/VERB {agent.nom}",
    "works_as.say": "{agent.nom} travaille/VERB comme/ADP {job.nom@agent}",
    "works_as.turn": "{agent.nom} est/AUX {job.nom@agent} de/ADP profession/NOUN",
    "works_as.deny": "{agent.nom} ne/ADV travaille/VERB pas/ADV comme/ADP {job.nom@agent}",
    "works_as.ask_agent": "qui/PRON travaille/VERB comme/ADP {job.nom@agent}",
    "works_as.ask_job": "quel/DET métier/NOUN exerce/VERB {agent.nom}",
    "works_for.say": "{agent.nom} travaille/VERB {org.pour}",
    "works_for.turn": "{org.nom} emploie/VERB {agent.nom}",
    "works_for.deny": "{agent.nom} ne/ADV travaille/VERB pas/ADV {org.pour}",
    "works_for.ask_agent": "qui/PRON travaille/VERB {org.pour}",
    "works_for.ask_org": "pour/ADP quelle/DET entreprise/NOUN travaille/VERB {agent.nom}",
    "born_in.say": f"{{agent.nom}} est/AUX {_BORN} {{place.à?}} {{year.en?}}",
    "born_in.front": f"{{year.en}} ,/PUNCT {{agent.nom}} est/AUX {_BORN} {{place.à?}}",
    "born_in.turn": "{agent.nom} est/AUX (agent|m=venu|f=venue)/VERB au/ADP monde/NOUN {place.à?} {year.en?}",
    "born_in.deny": f"{{agent.nom}} n'/ADV est/AUX pas/ADV {_BORN} {{place.à?}} {{year.en?}}",
    "born_in.ask_agent": "qui/PRON est/AUX né/VERB {place.à?} {year.en?}",
    "born_in.ask_place": f"où/ADV {_IS} {_BORN} {{year.en?}}",
    "born_in.ask_year": f"en/ADP quelle/DET année/NOUN {_IS} {_BORN} {{place.à?}}",
    "founded.say": "{agent.nom} a/AUX fondé/VERB {org.nom} {year.en?}",
    "founded.front": "{year.en} ,/PUNCT {agent.nom} a/AUX fondé/VERB {org.nom}",
    "founded.turn": "l'/DET entreprise/NOUN {org.nom} a/AUX été/AUX fondée/VERB {agent.par} {year.en?}",
    "founded.deny": "{agent.nom} n'/ADV a/AUX pas/ADV fondé/VERB {org.nom} {year.en?}",
    "founded.ask_agent": "qui/PRON a/AUX fondé/VERB {org.nom} {year.en?}",
    "founded.ask_org": f"quelle/DET entreprise/NOUN {_HAS} fondée/VERB {{year.en?}}",
    "founded.ask_year": f"en/ADP quelle/DET année/NOUN {_HAS} fondé/VERB {{org.nom}}",
    "older_than.say": "{agent.nom} est/AUX plus/ADV (agent|m=âgé|f=âgée)/ADJ {patient.que}",
    "older_than.turn": "{patient.nom} est/AUX plus/ADV jeune/ADJ {agent.que}",
    "older_than.deny": "{agent.nom} n'/ADV est/AUX pas/ADV plus/ADV (agent|m=âgé|f=âgée)/ADJ {patient.que}",
    "older_than.ask_agent": "qui/PRON est/AUX plus/ADV âgé/ADJ {patient.que}",
    "older_than.ask_patient": "qui/PRON est/AUX plus/ADV jeune/ADJ {agent.que}",
    "parent_of.say": f"{{agent.nom}} est/AUX {_PARENT}",
    "parent_of.turn": f"{{patient.nom}} est/AUX {_CHILD}",
    "parent_of.deny": f"{{agent.nom}} n'/ADV est/AUX pas/ADV {_PARENT}",
    "parent_of.ask_agent": f"qui/PRON est/AUX {_PARENT}",
    "parent_of.ask_patient": f"qui/PRON est/AUX {_CHILD}",
    "in_country.say": "{city.nom} est/AUX une/DET ville/NOUN {country.de}",
    "in_country.turn": "{city.nom} se/PRON trouve/VERB {country.en}",
    "in_country.deny": "{city.nom} n'/ADV est/AUX pas/ADV une/DET ville/NOUN {country.de}",
    "in_country.ask_city": "quelle/DET ville/NOUN se/PRON trouve/VERB {country.en}",
    "in_country.ask_country": "dans/ADP quel/DET pays/NOUN se/PRON trouve/VERB {city.nom}",
    "bought.say": "{agent.nom} a/AUX acheté/VERB {theme.acc} {source.à?} {time.le?}",
    "bought.front": "{time.le} ,/PUNCT {agent.nom} a/AUX acheté/VERB {theme.acc} {source.à?}",
    "bought.turn": "{source.nom} a/AUX vendu/VERB {theme.acc} {agent.à} {time.le?}",
    "bought.deny": "{agent.nom} n'/ADV a/AUX pas/ADV acheté/VERB {theme.neg} {source.à?} {time.le?}",
    "bought.ask_agent": "qui/PRON a/AUX acheté/VERB {theme.acc} {source.à?} {time.le?}",
    "bought.ask_theme": f"{_WHAT} acheté/VERB {{source.à?}} {{time.le?}}",
    "bought.ask_source": f"à/ADP qui/PRON {_HAS} acheté/VERB {{theme.acc}} {{time.le?}}",
    "bought.ask_time": f"quand/ADV {_HAS} acheté/VERB {{theme.acc}} {{source.à?}}",
    "gave.say": "{agent.nom} a/AUX donné/VERB {theme.acc} {recipient.à} {time.le?}",
    "gave.front": "{time.le} ,/PUNCT {agent.nom} a/AUX donné/VERB {theme.acc} {recipient.à}",
    "gave.turn": "{recipient.nom} a/AUX reçu/VERB {theme.acc} {agent.de} {time.le?}",
    "gave.deny": "{agent.nom} n'/ADV a/AUX pas/ADV donné/VERB {theme.neg} {recipient.à} {time.le?}",
    "gave.ask_agent": "qui/PRON a/AUX donné/VERB {theme.acc} {recipient.à} {time.le?}",
    "gave.ask_theme": f"{_WHAT} donné/VERB {{recipient.à}} {{time.le?}}",
    "gave.ask_recipient": f"à/ADP qui/PRON {_HAS} donné/VERB {{theme.acc}} {{time.le?}}",
    "gave.ask_time": f"quand/ADV {_HAS} donné/VERB {{theme.acc}} {{recipient.à}}",
    "met.say": "{agent.nom} a/AUX rencontré/VERB {patient.nom} {venue.à?} {time.le?}",
    "met.front": "{time.le} ,/PUNCT {agent.nom} a/AUX rencontré/VERB {patient.nom} {venue.à?}",
    "met.turn": "{patient.nom} a/AUX rencontré/VERB {agent.nom} {venue.à?} {time.le?}",
    "met.deny": "{agent.nom} n'/ADV a/AUX pas/ADV rencontré/VERB {patient.nom} {venue.à?} {time.le?}",
    "met.ask_agent": "qui/PRON a/AUX rencontré/VERB {patient.nom} {venue.à?} {time.le?}",
    "met.ask_patient": f"qui/PRON {_HAS} rencontré/VERB {{venue.à?}} {{time.le?}}",
    "met.ask_venue": f"où/ADV {_HAS} rencontré/VERB {{patient.nom}} {{time.le?}}",
    "met.ask_time": f"quand/ADV {_HAS} rencontré/VERB {{patient.nom}} {{venue.à?}}",
    "helped.say": "{agent.nom} a/AUX aidé/VERB {patient.nom} {venue.à?} {time.le?}",
    "helped.front": "{time.le} ,/PUNCT {agent.nom} a/AUX aidé/VERB {patient.nom} {venue.à?}",
    "helped.turn": "{patient.nom} a/AUX reçu/VERB l'/DET aide/NOUN {agent.de} {venue.à?} {time.le?}",
    "helped.deny": "{agent.nom} n'/ADV a/AUX pas/ADV aidé/VERB {patient.nom} {venue.à?} {time.le?}",
    "helped.ask_agent": "qui/PRON a/AUX aidé/VERB {patient.nom} {venue.à?} {time.le?}",
    "helped.ask_patient": f"qui/PRON {_HAS} aidé/VERB {{venue.à?}} {{time.le?}}",
    "helped.ask_venue": f"où/ADV {_HAS} aidé/VERB {{patient.nom}} {{time.le?}}",
    "helped.ask_time": f"quand/ADV {_HAS} aidé/VERB {{patient.nom}} {{venue.à?}}",
    "called.say": "{agent.nom} a/AUX téléphoné/VERB {patient.à} {time.le?}",
    "called.front": "{time.le} ,/PUNCT {agent.nom} a/AUX téléphoné/VERB {patient.à}",
    "called.turn": "{patient.nom} a/AUX reçu/VERB un/DET appel/NOUN téléphonique/ADJ {agent.de} {time.le?}",
    "called.deny": "{agent.nom} n'/ADV a/AUX pas/ADV téléphoné/VERB {patient.à} {time.le?}",
    "called.ask_agent": "qui/PRON a/AUX téléphoné/VERB {patient.à} {time.le?}",
    "called.ask_patient": f"à/ADP qui/PRON {_HAS} téléphoné/VERB {{time.le?}}",
    "called.ask_time": f"quand/ADV {_HAS} téléphoné/VERB {{patient.à}}",
    "invited.say": "{agent.nom} a/AUX invité/VERB {patient.nom} {event.à}",
    "invited.turn": "{patient.nom} a/AUX reçu/VERB {agent.de} une/DET invitation/NOUN {event.à}",
    "invited.deny": "{agent.nom} n'/ADV a/AUX pas/ADV invité/VERB {patient.nom} {event.à}",
    "invited.ask_agent": "qui/PRON a/AUX invité/VERB {patient.nom} {event.à}",
    "invited.ask_patient": f"qui/PRON {_HAS} invité/VERB {{event.à}}",
    "invited.ask_event": f"à/ADP quoi/PRON {_HAS} invité/VERB {{patient.nom}}",
    "travelled_to.say": f"{{agent.nom}} s'/PRON est/AUX {_GONE} {{place.à}} {{time.le?}}",
    "travelled_to.front": f"{{time.le}} ,/PUNCT {{agent.nom}} s'/PRON est/AUX {_GONE} {{place.à}}",
    "travelled_to.turn": "{agent.nom} a/AUX fait/VERB un/DET voyage/NOUN {place.à} {time.le?}",
    "travelled_to.deny": f"{{agent.nom}} ne/ADV s'/PRON est/AUX pas/ADV {_GONE} {{place.à}} {{time.le?}}",
    "travelled_to.ask_agent": "qui/PRON s'/PRON est/AUX rendu/VERB {place.à} {time.le?}",
    "travelled_to.ask_place": "où/ADV {agent.nom} s'/PRON est/AUX (agent|m=-il|f=-elle)/PRON "
    f"{_GONE} {{time.le?}}",
    "travelled_to.ask_time": "quand/ADV {agent.nom} s'/PRON est/AUX (agent|m=-il|f=-elle)/PRON "
    f"{_GONE} {{place.à}}",
}

LANGUAGE = Language(
    code="fr",
    name="French",
    words=WORDS,
    templates=TEMPLATES,
    years={"en": "en/ADP {}"},
    joins={"and": "{first} et/CCONJ {second}", "but": "{first} ,/PUNCT mais/CCONJ {second}"},
    spaced_marks="?",
)
