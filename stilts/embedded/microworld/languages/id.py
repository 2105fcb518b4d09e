"""Indonesian. Things carry a classifier (`seekor anjing`), but not under negation."""

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
            "dari": "dari/ADP {}",
            "kepada": "kepada/ADP {}",
            "oleh": "oleh/ADP {}",
            "dengan": "dengan/ADP {}",
            "daripada": "daripada/ADP {}",
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
    **table("pronoun", forms="nom", rows="she | dia; he | dia"),
    **table(
        "city",
        forms="nom",
        rows="""
        paris | Paris; rome | Roma; madrid | Madrid; berlin | Berlin; vienna | Wina; lisbon | Lisbon
        tokyo | Tokyo; cairo | Kairo; moscow | Moskow; toronto | Toronto; lima | Lima; oslo | Oslo
        new_york | New York; delhi | Delhi; lyon | Lyon; milan | Milan; barcelona | Barcelona
        munich | Munich; salzburg | Salzburg; porto | Porto; osaka | Osaka; montreal | Montreal
        bergen | Bergen; los_angeles | Los Angeles
        """,
        patterns={"di": "di/ADP {}", "ke": "ke/ADP {}"},
    ),
    **table(
        "country",
        forms="nom",
        rows="""
        france | Prancis; italy | Italia; spain | Spanyol; germany | Jerman; austria | Austria
        portugal | Portugal; japan | Jepang; egypt | Mesir; russia | Rusia; canada | Kanada; peru | Peru
        norway | Norwegia; india | India; america | Amerika Serikat
        """,
        patterns={"di": "di/ADP {}"},
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
        patterns={"untuk": "untuk/ADP {}"},
    ),
    **table(
        "job",
        forms="nom",
        rows="""
        doctor | dokter; teacher | guru; lawyer | pengacara; engineer | insinyur; journalist | jurnalis
        cook | juru masak/VERB; baker | pembuat roti; pilot | pilot; architect | arsitek; painter | pelukis
        singer | penyanyi; pharmacist | apoteker; surgeon | dokter bedah; musician | musisi
        pianist | pianis; violinist | pemain biola; writer | penulis; poet | penyair; novelist | novelis
        """,
        patterns={"sebagai": "sebagai/ADP {}"},
    ),
    **table(
        "thing",
        forms="bare | one",
        rows="""
        flower | bunga | setangkai/DET bunga; rose | bunga mawar | setangkai/DET bunga mawar
        red_rose | bunga mawar merah/ADJ | setangkai/DET bunga mawar merah/ADJ
        tulip | bunga tulip | setangkai/DET bunga tulip
        white_tulip | bunga tulip putih/ADJ | setangkai/DET bunga tulip putih/ADJ
        fruit | buah | buah; apple | apel; green_apple | apel hijau/ADJ; pear | pir
        yellow_pear | pir kuning/ADJ; animal | hewan | seekor/DET hewan; dog | anjing | seekor/DET anjing
        black_dog | anjing hitam/ADJ | seekor/DET anjing hitam/ADJ; cat | kucing | seekor/DET kucing
        white_cat | kucing putih/ADJ | seekor/DET kucing putih/ADJ; horse | kuda | seekor/DET kuda
        instrument | alat musik; guitar | gitar; old_guitar | gitar tua/ADJ; violin | biola
        new_violin | biola baru/ADJ; flute | suling; book | buku; novel | novel; dictionary | kamus
        old_dictionary | kamus tua/ADJ; tool | perkakas; hammer | palu; new_hammer | palu baru/ADJ
        saw | gergaji; toy | mainan; doll | boneka; ball | bola; big_ball | bola besar/ADJ
        """,
        patterns={"one": "sebuah/DET {}"},
    ),
    **table(
        "venue",
        forms="nom",
        rows="""
        museum | museum; park | taman; library | perpustakaan; restaurant | restoran; station | stasiun
        theatre | teater; market | pasar; school | sekolah
        """,
        patterns={"di": "di/ADP {}"},
    ),
    **table(
        "event",
        forms="nom",
        rows="""
        concert | konser; wedding | pernikahan; party | pesta; dinner | acara makan/VERB malam
        exhibition | pameran; meeting | rapat
        """,
        patterns={"ke": "ke/ADP {}"},
    ),
    **table(
        "day",
        forms="on",
        rows="""
        monday | pada/ADP hari/NOUN Senin/PROPN; tuesday | pada/ADP hari/NOUN Selasa/PROPN
        wednesday | pada/ADP hari/NOUN Rabu/PROPN; thursday | pada/ADP hari/NOUN Kamis/PROPN
        friday | pada/ADP hari/NOUN Jumat/PROPN; saturday | pada/ADP hari/NOUN Sabtu/PROPN
        sunday | pada/ADP hari/NOUN Minggu/PROPN
        yesterday | kemarin/ADV; today | hari ini/DET
        """,
    ),
}

TEMPLATES = {
    "lives_in.say": "{agent.nom} tinggal/VERB {place.di}",
    "lives_in.turn": "rumah/NOUN {agent.nom} berada/VERB {place.di}",
    "lives_in.deny": "{agent.nom} tidak/PART tinggal/VERB {place.di}",
    "lives_in.ask_agent": "siapa/PRON yang/PRON tinggal/VERB {place.di}",
    "lives_in.ask_place": "di/ADP mana/PRON {agent.nom} tinggal/VERB",
    "works_as.say": "{agent.nom} bekerja/VERB {job.sebagai}",
    "works_as.turn": "profesi/NOUN {agent.nom} adalah/AUX {job.nom}",
    "works_as.deny": "{agent.nom} tidak/PART bekerja/VERB {job.sebagai}",
    "works_as.ask_agent": "siapa/PRON yang/PRON bekerja/VERB {job.sebagai}",
    "works_as.ask_job": "apa/PRON profesi/NOUN {agent.nom}",
    "works_for.say": "{agent.nom} bekerja/VERB {org.untuk}",
    "works_for.turn": "{org.nom} mempekerjakan/VERB {agent.nom}",
    "works_for.deny": "{agent.nom} tidak/PART bekerja/VERB {org.untuk}",
    "works_for.ask_agent": "siapa/PRON yang/PRON bekerja/VERB {org.untuk}",
    "works_for.ask_org": "untuk/ADP perusahaan/NOUN apa/PRON {agent.nom} bekerja/VERB",
    "born_in.say": "{agent.nom} lahir/VERB {place.di?} {year.pada?}",
    "born_in.front": "{year.pada} ,/PUNCT {agent.nom} lahir/VERB {place.di?}",
    "born_in.turn": "{agent.nom} dilahirkan/VERB {place.di?} {year.pada?}",
    "born_in.deny": "{agent.nom} tidak/PART lahir/VERB {place.di?} {year.pada?}",
    "born_in.ask_agent": "siapa/PRON yang/PRON lahir/VERB {place.di?} {year.pada?}",
    "born_in.ask_place": "di/ADP mana/PRON {agent.nom} lahir/VERB {year.pada?}",
    "born_in.ask_year": "pada/ADP tahun/NOUN berapa/PRON {agent.nom} lahir/VERB {place.di?}",
    "founded.say": "{agent.nom} mendirikan/VERB {org.nom} {year.pada?}",
    "founded.front": "{year.pada} ,/PUNCT {agent.nom} mendirikan/VERB {org.nom}",
    "founded.turn": "{org.nom} didirikan/VERB {agent.oleh} {year.pada?}",
    "founded.deny": "{agent.nom} tidak/PART mendirikan/VERB {org.nom} {year.pada?}",
    "founded.ask_agent": "siapa/PRON yang/PRON mendirikan/VERB {org.nom} {year.pada?}",
    "founded.ask_org": "perusahaan/NOUN apa/PRON yang/PRON didirikan/VERB {agent.oleh} {year.pada?}",
    "founded.ask_year": "pada/ADP tahun/NOUN berapa/PRON {agent.nom} mendirikan/VERB {org.nom}",
    "older_than.say": "{agent.nom} lebih/ADV tua/ADJ {patient.daripada}",
    "older_than.turn": "{patient.nom} lebih/ADV muda/ADJ {agent.daripada}",
    "older_than.deny": "{agent.nom} tidak/PART lebih/ADV tua/ADJ {patient.daripada}",
    "older_than.ask_agent": "siapa/PRON yang/PRON lebih/ADV tua/ADJ {patient.daripada}",
    "older_than.ask_patient": "siapa/PRON yang/PRON lebih/ADV muda/ADJ {agent.daripada}",
    "parent_of.say": "{agent.nom} adalah/AUX (agent|m=ayah|f=ibu)/NOUN {patient.dari}",
    "parent_of.turn": "{patient.nom} adalah/AUX (patient|m=putra|f=putri)/NOUN {agent.dari}",
    "parent_of.deny": "{agent.nom} bukan/PART (agent|m=ayah|f=ibu)/NOUN {patient.dari}",
    "parent_of.ask_agent": "siapa/PRON (agent|m=ayah|f=ibu)/NOUN {patient.dari}",
    "parent_of.ask_patient": "siapa/PRON (patient|m=putra|f=putri)/NOUN {agent.dari}",
    "in_country.say": "{city.nom} adalah/AUX sebuah/DET kota/NOUN {country.di}",
    "in_country.turn": "{city.nom} terletak/VERB {country.di}",
    "in_country.deny": "{city.nom} bukan/PART kota/NOUN {country.di}",
    "in_country.ask_city": "kota/NOUN mana/PRON yang/PRON terletak/VERB {country.di}",
    "in_country.ask_country": "di/ADP negara/NOUN mana/PRON {city.nom} terletak/VERB",
    "bought.say": "{agent.nom} membeli/VERB {theme.one} {source.dari?} {time.on?}",
    "bought.front": "{time.on} ,/PUNCT {agent.nom} membeli/VERB {theme.one} {source.dari?}",
    "bought.turn": "{source.nom} menjual/VERB {theme.one} {agent.kepada} {time.on?}",
    "bought.deny": "{agent.nom} tidak/PART membeli/VERB {theme.bare} {source.dari?} {time.on?}",
    "bought.ask_agent": "siapa/PRON yang/PRON membeli/VERB {theme.one} {source.dari?} {time.on?}",
    "bought.ask_theme": "apa/PRON yang/PRON dibeli/VERB {agent.oleh} {source.dari?} {time.on?}",
    "bought.ask_source": "dari/ADP siapa/PRON {agent.nom} membeli/VERB {theme.one} {time.on?}",
    "bought.ask_time": "kapan/ADV {agent.nom} membeli/VERB {theme.one} {source.dari?}",
    "gave.say": "{agent.nom} memberikan/VERB {theme.one} {recipient.kepada} {time.on?}",
    "gave.front": "{time.on} ,/PUNCT {agent.nom} memberikan/VERB {theme.one} {recipient.kepada}",
    "gave.turn": "{recipient.nom} menerima/VERB {theme.one} {agent.dari} {time.on?}",
    "gave.deny": "{agent.nom} tidak/PART memberikan/VERB {theme.bare} {recipient.kepada} {time.on?}",
    "gave.ask_agent": "siapa/PRON yang/PRON memberikan/VERB {theme.one} {recipient.kepada} {time.on?}",
    "gave.ask_theme": "apa/PRON yang/PRON diberikan/VERB {agent.oleh} {recipient.kepada} {time.on?}",
    "gave.ask_recipient": "kepada/ADP siapa/PRON {agent.nom} memberikan/VERB {theme.one} {time.on?}",
    "gave.ask_time": "kapan/ADV {agent.nom} memberikan/VERB {theme.one} {recipient.kepada}",
    "met.say": "{agent.nom} bertemu/VERB {patient.dengan} {venue.di?} {time.on?}",
    "met.front": "{time.on} ,/PUNCT {agent.nom} bertemu/VERB {patient.dengan} {venue.di?}",
    "met.turn": "{patient.nom} bertemu/VERB {agent.dengan} {venue.di?} {time.on?}",
    "met.deny": "{agent.nom} tidak/PART bertemu/VERB {patient.dengan} {venue.di?} {time.on?}",
    "met.ask_agent": "siapa/PRON yang/PRON bertemu/VERB {patient.dengan} {venue.di?} {time.on?}",
    "met.ask_patient": "dengan/ADP siapa/PRON {agent.nom} bertemu/VERB {venue.di?} {time.on?}",
    "met.ask_venue": "di/ADP mana/PRON {agent.nom} bertemu/VERB {patient.dengan} {time.on?}",
    "met.ask_time": "kapan/ADV {agent.nom} bertemu/VERB {patient.dengan} {venue.di?}",
    "helped.say": "{agent.nom} membantu/VERB {patient.nom} {venue.di?} {time.on?}",
    "helped.front": "{time.on} ,/PUNCT {agent.nom} membantu/VERB {patient.nom} {venue.di?}",
    "helped.turn": "{patient.nom} dibantu/VERB {agent.oleh} {venue.di?} {time.on?}",
    "helped.deny": "{agent.nom} tidak/PART membantu/VERB {patient.nom} {venue.di?} {time.on?}",
    "helped.ask_agent": "siapa/PRON yang/PRON membantu/VERB {patient.nom} {venue.di?} {time.on?}",
    "helped.ask_patient": "siapa/PRON yang/PRON dibantu/VERB {agent.oleh} {venue.di?} {time.on?}",
    "helped.ask_venue": "di/ADP mana/PRON {agent.nom} membantu/VERB {patient.nom} {time.on?}",
    "helped.ask_time": "kapan/ADV {agent.nom} membantu/VERB {patient.nom} {venue.di?}",
    "called.say": "{agent.nom} menelepon/VERB {patient.nom} {time.on?}",
    "called.front": "{time.on} ,/PUNCT {agent.nom} menelepon/VERB {patient.nom}",
    "called.turn": "{patient.nom} mendapat/VERB telepon/NOUN {agent.dari} {time.on?}",
    "called.deny": "{agent.nom} tidak/PART menelepon/VERB {patient.nom} {time.on?}",
    "called.ask_agent": "siapa/PRON yang/PRON menelepon/VERB {patient.nom} {time.on?}",
    "called.ask_patient": "siapa/PRON yang/PRON ditelepon/VERB {agent.oleh} {time.on?}",
    "called.ask_time": "kapan/ADV {agent.nom} menelepon/VERB {patient.nom}",
    "invited.say": "{agent.nom} mengundang/VERB {patient.nom} {event.ke}",
    "invited.turn": "{patient.nom} diundang/VERB {agent.oleh} {event.ke}",
    "invited.deny": "{agent.nom} tidak/PART mengundang/VERB {patient.nom} {event.ke}",
    "invited.ask_agent": "siapa/PRON yang/PRON mengundang/VERB {patient.nom} {event.ke}",
    "invited.ask_patient": "siapa/PRON yang/PRON diundang/VERB {agent.oleh} {event.ke}",
    "invited.ask_event": "ke/ADP acara/NOUN apa/PRON {agent.nom} mengundang/VERB {patient.nom}",
    "travelled_to.say": "{agent.nom} bepergian/VERB {place.ke} {time.on?}",
    "travelled_to.front": "{time.on} ,/PUNCT {agent.nom} bepergian/VERB {place.ke}",
    "travelled_to.turn": "{agent.nom} melakukan/VERB perjalanan/NOUN {place.ke} {time.on?}",
    "travelled_to.deny": "{agent.nom} tidak/PART bepergian/VERB {place.ke} {time.on?}",
    "travelled_to.ask_agent": "siapa/PRON yang/PRON bepergian/VERB {place.ke} {time.on?}",
    "travelled_to.ask_place": "ke/ADP mana/PRON {agent.nom} bepergian/VERB {time.on?}",
    "travelled_to.ask_time": "kapan/ADV {agent.nom} bepergian/VERB {place.ke}",
}

LANGUAGE = Language(
    code="id",
    name="Indonesian",
    words=WORDS,
    templates=TEMPLATES,
    years={"pada": "pada/ADP tahun/NOUN [{}]"},
    joins={"and": "{first} dan/CCONJ {second}", "but": "{first} ,/PUNCT tetapi/CCONJ {second}"},
)
