"""Finnish. Prepositions are cases here; of a full name only the surname is inflected."""

from collections.abc import Callable

from stilts.embedded.microworld.grammar import Language, table


def _ending(back: str, front: str) -> Callable[[str], str]:
    # Foreign names keep their stem in every case; after a consonant an i joins the ending to it.
    def inflect(name: str) -> str:
        stem = name if name[-1] in "aeiou" else name + "i"
        return stem + (back if set(name.lower()) & set("aou") else front)

    return inflect


_NAMES = {
    "gen": _ending("n", "n"),
    "par": _ending("a", "ä"),
    "abl": _ending("lta", "ltä"),
    "all": _ending("lle", "lle"),
}

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
        patterns=_NAMES,
    ),
    **table(
        "surname",
        forms="nom",
        rows="""
        rossi | Rossi; moreno | Moreno; romano | Romano; marino | Marino; conti | Conti; sato | Sato
        ito | Ito; bruni | Bruni; franco | Franco; kato | Kato; russo | Russo; ricci | Ricci; mori | Mori
        navarro | Navarro; nakano | Nakano; longo | Longo
        """,
        patterns=_NAMES,
    ),
    **table("pronoun", forms="nom", rows="she | hän; he | hän"),
    **table(
        "city",
        forms="nom | ine | ill",
        rows="""
        paris | Pariisi | Pariisissa | Pariisiin; rome | Rooma | Roomassa | Roomaan
        madrid | Madrid | Madridissa | Madridiin; berlin | Berliini | Berliinissä | Berliiniin
        vienna | Wien | Wienissä | Wieniin; lisbon | Lissabon | Lissabonissa | Lissaboniin
        tokyo | Tokio | Tokiossa | Tokioon; cairo | Kairo | Kairossa | Kairoon
        moscow | Moskova | Moskovassa | Moskovaan; toronto | Toronto | Torontossa | Torontoon
        lima | Lima | Limassa | Limaan; oslo | Oslo | Oslossa | Osloon
        new_york | New York | New Yorkissa | New Yorkiin; delhi | Delhi | Delhissä | Delhiin
        lyon | Lyon | Lyonissa | Lyoniin; milan | Milano | Milanossa | Milanoon
        barcelona | Barcelona | Barcelonassa | Barcelonaan; munich | München | Münchenissä | Müncheniin
        salzburg | Salzburg | Salzburgissa | Salzburgiin; porto | Porto | Portossa | Portoon
        osaka | Osaka | Osakassa | Osakaan; montreal | Montreal | Montrealissa | Montrealiin
        bergen | Bergen | Bergenissä | Bergeniin
        los_angeles | Los Angeles | Los Angelesissa | Los Angelesiin
        """,
    ),
    **table(
        "country",
        forms="in",
        rows="""
        france | Ranskassa; italy | Italiassa; spain | Espanjassa; germany | Saksassa; austria | Itävallassa
        portugal | Portugalissa; japan | Japanissa; egypt | Egyptissä; russia | Venäjällä
        canada | Kanadassa; peru | Perussa; norway | Norjassa; america | Yhdysvalloissa; india | Intiassa
        """,
    ),
    **table(
        "org",
        forms="nom | gen | par | ade",
        rows="""
        norvik | Norvik | Norvikin | Norvikia | Norvikilla
        orbitel | Orbitel | Orbitelin | Orbitelia | Orbitelilla
        lumena | Lumena | Lumenan | Lumenaa | Lumenalla; vectora | Vectora | Vectoran | Vectoraa | Vectoralla
        alpina_group | Alpina Group | Alpina Groupin | Alpina Groupia | Alpina Groupilla
        polaris | Polaris | Polariksen | Polarista | Polariksella
        zenta | Zenta | Zentan | Zentaa | Zentalla; corvida | Corvida | Corvidan | Corvidaa | Corvidalla
        tavira_air | Tavira Air | Tavira Airin | Tavira Airia | Tavira Airilla
        delfina | Delfina | Delfinan | Delfinaa | Delfinalla
        nimbus | Nimbus | Nimbuksen | Nimbusta | Nimbuksella
        altera | Altera | Alteran | Alteraa | Alteralla
        brista_group | Brista Group | Brista Groupin | Brista Groupia | Brista Groupilla
        solveta | Solveta | Solvetan | Solvetaa | Solvetalla; kestra | Kestra | Kestran | Kestraa | Kestralla
        marvena | Marvena | Marvenan | Marvenaa | Marvenalla
        """,
    ),
    **table(
        "job",
        forms="nom | ess",
        rows="""
        doctor | lääkäri | lääkärinä; teacher | opettaja | opettajana; lawyer | asianajaja | asianajajana
        engineer | insinööri | insinöörinä; journalist | toimittaja | toimittajana; cook | kokki | kokkina
        baker | leipuri | leipurina; pilot | lentäjä | lentäjänä; architect | arkkitehti | arkkitehtina
        painter | taidemaalari | taidemaalarina; singer | laulaja | laulajana
        pharmacist | farmaseutti | farmaseuttina; surgeon | kirurgi | kirurgina
        musician | muusikko | muusikkona; pianist | pianisti | pianistina; violinist | viulisti | viulistina
        writer | kirjailija | kirjailijana; poet | runoilija | runoilijana
        novelist | romaanikirjailija | romaanikirjailijana
        """,
    ),
    **table(
        "thing",
        forms="gen | par",
        rows="""
        flower | kukan | kukkaa; rose | ruusun | ruusua
        red_rose | punaisen/ADJ ruusun | punaista/ADJ ruusua; tulip | tulppaanin | tulppaania
        white_tulip | valkoisen/ADJ tulppaanin | valkoista/ADJ tulppaania; fruit | hedelmän | hedelmää
        apple | omenan | omenaa; green_apple | vihreän/ADJ omenan | vihreää/ADJ omenaa
        pear | päärynän | päärynää; yellow_pear | keltaisen/ADJ päärynän | keltaista/ADJ päärynää
        animal | eläimen | eläintä; dog | koiran | koiraa; black_dog | mustan/ADJ koiran | mustaa/ADJ koiraa
        cat | kissan | kissaa; white_cat | valkoisen/ADJ kissan | valkoista/ADJ kissaa
        horse | hevosen | hevosta; instrument | soittimen | soitinta; guitar | kitaran | kitaraa
        old_guitar | vanhan/ADJ kitaran | vanhaa/ADJ kitaraa; violin | viulun | viulua
        new_violin | uuden/ADJ viulun | uutta/ADJ viulua; flute | huilun | huilua; book | kirjan | kirjaa
        novel | romaanin | romaania; dictionary | sanakirjan | sanakirjaa
        old_dictionary | vanhan/ADJ sanakirjan | vanhaa/ADJ sanakirjaa; tool | työkalun | työkalua
        hammer | vasaran | vasaraa; new_hammer | uuden/ADJ vasaran | uutta/ADJ vasaraa; saw | sahan | sahaa
        toy | lelun | lelua; doll | nuken | nukkea; ball | pallon | palloa
        big_ball | ison/ADJ pallon | isoa/ADJ palloa
        """,
    ),
    **table(
        "venue",
        forms="in",
        rows="""
        museum | museossa; park | puistossa; library | kirjastossa; restaurant | ravintolassa
        station | asemalla; theatre | teatterissa; market | torilla; school | koulussa
        """,
    ),
    **table(
        "event",
        forms="to",
        rows="""
        concert | konserttiin; wedding | häihin; party | juhliin; dinner | illalliselle
        exhibition | näyttelyyn; meeting | tapaamiseen
        """,
    ),
    **table(
        "day",
        forms="ess",
        rows="""
        monday | maanantaina; tuesday | tiistaina; wednesday | keskiviikkona; thursday | torstaina
        friday | perjantaina; saturday | lauantaina; sunday | sunnuntaina
        yesterday | eilen/ADV; today | tänään/ADV
        """,
    ),
}

TEMPLATES = {
    "lives_in.say": "{agent.nom} asuu/VERB {place.ine}",
    "lives_in.turn": "{agent.gen} koti/NOUN on/AUX {place.ine}",
    "lives_in.deny": "{agent.nom} ei/AUX asu/VERB {place.ine}",
    "lives_in.ask_agent": "kuka/PRON asuu/VERB {place.ine}",
    "lives_in.ask_place": "missä/ADV {agent.nom} asuu/VERB",
    "works_as.say": "{agent.nom} työskentelee/VERB {job.ess}",
    "works_as.turn": "{agent.nom} on/AUX ammatiltaan/NOUN {job.nom}",
    "works_as.deny": "{agent.nom} ei/AUX työskentele/VERB {job.ess}",
    "works_as.ask_agent": "kuka/PRON työskentelee/VERB {job.ess}",
    "works_as.ask_job": "mikä/PRON {agent.nom} on/AUX ammatiltaan/NOUN",
    "works_for.say": "{agent.nom} työskentelee/VERB {org.ade}",
    "works_for.turn": "{org.nom} on/AUX {agent.gen} työnantaja/NOUN",
    "works_for.deny": "{agent.nom} ei/AUX työskentele/VERB {org.ade}",
    "works_for.ask_agent": "kuka/PRON työskentelee/VERB {org.ade}",
    "works_for.ask_org": "missä/PRON yhtiössä/NOUN {agent.nom} työskentelee/VERB",
    "born_in.say": "{agent.nom} syntyi/VERB {place.ine?} {year.in?}",
    "born_in.front": "{year.in} {agent.nom} syntyi/VERB {place.ine?}",
    "born_in.turn": "{agent.nom} tuli/VERB maailmaan/NOUN {place.ine?} {year.in?}",
    "born_in.deny": "{agent.nom} ei/AUX syntynyt/VERB {place.ine?} {year.in?}",
    "born_in.ask_agent": "kuka/PRON syntyi/VERB {place.ine?} {year.in?}",
    "born_in.ask_place": "missä/ADV {agent.nom} syntyi/VERB {year.in?}",
    "born_in.ask_year": "minä/PRON vuonna/NOUN {agent.nom} syntyi/VERB {place.ine?}",
    "founded.say": "{agent.nom} perusti/VERB {org.gen} {year.in?}",
    "founded.front": "{year.in} {agent.nom} perusti/VERB {org.gen}",
    "founded.turn": "{org.nom} on/AUX {agent.gen} {year.in?} perustama/VERB yhtiö/NOUN",
    "founded.deny": "{agent.nom} ei/AUX perustanut/VERB {org.par} {year.in?}",
    "founded.ask_agent": "kuka/PRON perusti/VERB {org.gen} {year.in?}",
    "founded.ask_org": "minkä/PRON yhtiön/NOUN {agent.nom} perusti/VERB {year.in?}",
    "founded.ask_year": "minä/PRON vuonna/NOUN {agent.nom} perusti/VERB {org.gen}",
    "older_than.say": "{agent.nom} on/AUX vanhempi/ADJ kuin/SCONJ {patient.nom}",
    "older_than.turn": "{patient.nom} on/AUX nuorempi/ADJ kuin/SCONJ {agent.nom}",
    "older_than.deny": "{agent.nom} ei/AUX ole/AUX vanhempi/ADJ kuin/SCONJ {patient.nom}",
    "older_than.ask_agent": "kuka/PRON on/AUX vanhempi/ADJ kuin/SCONJ {patient.nom}",
    "older_than.ask_patient": "kuka/PRON on/AUX nuorempi/ADJ kuin/SCONJ {agent.nom}",
    "parent_of.say": "{agent.nom} on/AUX {patient.gen} (agent|m=isä|f=äiti)/NOUN",
    "parent_of.turn": "{patient.nom} on/AUX {agent.gen} (patient|m=poika|f=tytär)/NOUN",
    "parent_of.deny": "{agent.nom} ei/AUX ole/AUX {patient.gen} (agent|m=isä|f=äiti)/NOUN",
    "parent_of.ask_agent": "kuka/PRON on/AUX {patient.gen} (agent|m=isä|f=äiti)/NOUN",
    "parent_of.ask_patient": "kuka/PRON on/AUX {agent.gen} (patient|m=poika|f=tytär)/NOUN",
    "in_country.say": "{city.nom} on/AUX kaupunki/NOUN {country.in}",
    "in_country.turn": "{city.nom} sijaitsee/VERB {country.in}",
    "in_country.deny": "{city.nom} ei/AUX sijaitse/VERB {country.in}",
    "in_country.ask_city": "mikä/PRON kaupunki/NOUN sijaitsee/VERB {country.in}",
    "in_country.ask_country": "missä/PRON maassa/NOUN {city.nom} sijaitsee/VERB",
    "bought.say": "{agent.nom} osti/VERB {theme.gen} {source.abl?} {time.ess?}",
    "bought.front": "{time.ess} {agent.nom} osti/VERB {theme.gen} {source.abl?}",
    "bought.turn": "{source.nom} myi/VERB {theme.gen} {agent.all} {time.ess?}",
    "bought.deny": "{agent.nom} ei/AUX ostanut/VERB {theme.par} {source.abl?} {time.ess?}",
    "bought.ask_agent": "kuka/PRON osti/VERB {theme.gen} {source.abl?} {time.ess?}",
    "bought.ask_theme": "mitä/PRON {agent.nom} osti/VERB {source.abl?} {time.ess?}",
    "bought.ask_source": "keneltä/PRON {agent.nom} osti/VERB {theme.gen} {time.ess?}",
    "bought.ask_time": "milloin/ADV {agent.nom} osti/VERB {theme.gen} {source.abl?}",
    "gave.say": "{agent.nom} antoi/VERB {recipient.all} {theme.gen} {time.ess?}",
    "gave.front": "{time.ess} {agent.nom} antoi/VERB {recipient.all} {theme.gen}",
    "gave.turn": "{recipient.nom} sai/VERB {theme.gen} {agent.abl} {time.ess?}",
    "gave.deny": "{agent.nom} ei/AUX antanut/VERB {recipient.all} {theme.par} {time.ess?}",
    "gave.ask_agent": "kuka/PRON antoi/VERB {recipient.all} {theme.gen} {time.ess?}",
    "gave.ask_theme": "mitä/PRON {agent.nom} antoi/VERB {recipient.all} {time.ess?}",
    "gave.ask_recipient": "kenelle/PRON {agent.nom} antoi/VERB {theme.gen} {time.ess?}",
    "gave.ask_time": "milloin/ADV {agent.nom} antoi/VERB {recipient.all} {theme.gen}",
    "met.say": "{agent.nom} tapasi/VERB {patient.gen} {venue.in?} {time.ess?}",
    "met.front": "{time.ess} {agent.nom} tapasi/VERB {patient.gen} {venue.in?}",
    "met.turn": "{patient.nom} tapasi/VERB {agent.gen} {venue.in?} {time.ess?}",
    "met.deny": "{agent.nom} ei/AUX tavannut/VERB {patient.par} {venue.in?} {time.ess?}",
    "met.ask_agent": "kuka/PRON tapasi/VERB {patient.gen} {venue.in?} {time.ess?}",
    "met.ask_patient": "kenet/PRON {agent.nom} tapasi/VERB {venue.in?} {time.ess?}",
    "met.ask_venue": "missä/ADV {agent.nom} tapasi/VERB {patient.gen} {time.ess?}",
    "met.ask_time": "milloin/ADV {agent.nom} tapasi/VERB {patient.gen} {venue.in?}",
    "helped.say": "{agent.nom} auttoi/VERB {patient.par} {venue.in?} {time.ess?}",
    "helped.front": "{time.ess} {agent.nom} auttoi/VERB {patient.par} {venue.in?}",
    "helped.turn": "{patient.nom} sai/VERB apua/NOUN {agent.abl} {venue.in?} {time.ess?}",
    "helped.deny": "{agent.nom} ei/AUX auttanut/VERB {patient.par} {venue.in?} {time.ess?}",
    "helped.ask_agent": "kuka/PRON auttoi/VERB {patient.par} {venue.in?} {time.ess?}",
    "helped.ask_patient": "ketä/PRON {agent.nom} auttoi/VERB {venue.in?} {time.ess?}",
    "helped.ask_venue": "missä/ADV {agent.nom} auttoi/VERB {patient.par} {time.ess?}",
    "helped.ask_time": "milloin/ADV {agent.nom} auttoi/VERB {patient.par} {venue.in?}",
    "called.say": "{agent.nom} soitti/VERB {patient.all} {time.ess?}",
    "called.front": "{time.ess} {agent.nom} soitti/VERB {patient.all}",
    "called.turn": "{patient.nom} sai/VERB puhelun/NOUN {agent.abl} {time.ess?}",
    "called.deny": "{agent.nom} ei/AUX soittanut/VERB {patient.all} {time.ess?}",
    "called.ask_agent": "kuka/PRON soitti/VERB {patient.all} {time.ess?}",
    "called.ask_patient": "kenelle/PRON {agent.nom} soitti/VERB {time.ess?}",
    "called.ask_time": "milloin/ADV {agent.nom} soitti/VERB {patient.all}",
    "invited.say": "{agent.nom} kutsui/VERB {patient.gen} {event.to}",
    "invited.turn": "{patient.nom} sai/VERB {agent.abl} kutsun/NOUN {event.to}",
    "invited.deny": "{agent.nom} ei/AUX kutsunut/VERB {patient.par} {event.to}",
    "invited.ask_agent": "kuka/PRON kutsui/VERB {patient.gen} {event.to}",
    "invited.ask_patient": "kenet/PRON {agent.nom} kutsui/VERB {event.to}",
    "invited.ask_event": "mihin/PRON {agent.nom} kutsui/VERB {patient.gen}",
    "travelled_to.say": "{agent.nom} matkusti/VERB {place.ill} {time.ess?}",
    "travelled_to.front": "{time.ess} {agent.nom} matkusti/VERB {place.ill}",
    "travelled_to.turn": "{agent.nom} teki/VERB matkan/NOUN {place.ill} {time.ess?}",
    "travelled_to.deny": "{agent.nom} ei/AUX matkustanut/VERB {place.ill} {time.ess?}",
    "travelled_to.ask_agent": "kuka/PRON matkusti/VERB {place.ill} {time.ess?}",
    "travelled_to.ask_place": "minne/ADV {agent.nom} matkusti/VERB {time.ess?}",
    "travelled_to.ask_time": "milloin/ADV {agent.nom} matkusti/VERB {place.ill}",
}

LANGUAGE = Language(
    code="fi",
    name="Finnish",
    words=WORDS,
    templates=TEMPLATES,
    years={"in": "vuonna/NOUN [{}]"},
    joins={"and": "{first} ,/PUNCT ja/CCONJ {second}", "but": "{first} ,/PUNCT mutta/CCONJ {second}"},
    full_name="last",
)
