"""Vietnamese. A word may be several syllables (`bác_sĩ`), as VTB cuts them; things carry a classifier."""

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
        patterns={"của": "của/ADP {}", "từ": "từ/ADP {}", "cho": "cho/ADP {}"},
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
    **table("pronoun", forms="nom", rows="she | cô_ấy; he | anh_ấy"),
    **table(
        "city",
        forms="nom",
        rows="""
        paris | Paris; rome | Rome; madrid | Madrid; berlin | Berlin; vienna | Vienna; lisbon | Lisbon
        tokyo | Tokyo; cairo | Cairo; moscow | Moskva; toronto | Toronto; lima | Lima; oslo | Oslo
        new_york | New_York; delhi | Delhi; lyon | Lyon; milan | Milan; barcelona | Barcelona
        munich | Munich; salzburg | Salzburg; porto | Porto; osaka | Osaka; montreal | Montreal
        bergen | Bergen; los_angeles | Los_Angeles
        """,
        patterns={"ở": "ở/ADP {}", "đến": "đến/ADP {}"},
    ),
    **table(
        "country",
        forms="nom",
        rows="""
        france | Pháp; italy | Ý; spain | Tây_Ban_Nha; germany | Đức; austria | Áo; portugal | Bồ_Đào_Nha
        japan | Nhật_Bản; egypt | Ai_Cập; russia | Nga; canada | Canada; peru | Peru; norway | Na_Uy
        india | Ấn_Độ; america | Mỹ
        """,
        patterns={"ở": "ở/ADP {}"},
    ),
    **table(
        "org",
        forms="nom | cho",
        rows="""
        norvik | công_ty/NOUN [Norvik]; orbitel | công_ty/NOUN [Orbitel]; lumena | công_ty/NOUN [Lumena]
        vectora | công_ty/NOUN [Vectora]; alpina_group | tập_đoàn/NOUN [Alpina]
        polaris | công_ty/NOUN [Polaris]; zenta | công_ty/NOUN [Zenta]; corvida | công_ty/NOUN [Corvida]
        tavira_air | công_ty/NOUN [Tavira Air]; delfina | công_ty/NOUN [Delfina]
        nimbus | công_ty/NOUN [Nimbus]; altera | công_ty/NOUN [Altera]; brista_group | tập_đoàn/NOUN [Brista]
        solveta | công_ty/NOUN [Solveta]; kestra | công_ty/NOUN [Kestra]; marvena | công_ty/NOUN [Marvena]
        """,
        patterns={"cho": "cho/ADP {}", "của": "của/ADP {}"},
    ),
    **table(
        "job",
        forms="nom",
        rows="""
        doctor | bác_sĩ; teacher | giáo_viên; lawyer | luật_sư; engineer | kỹ_sư; journalist | nhà_báo
        cook | đầu_bếp; baker | thợ làm/VERB bánh; pilot | phi_công; architect | kiến_trúc_sư
        painter | họa_sĩ; singer | ca_sĩ; pharmacist | dược_sĩ; surgeon | bác_sĩ phẫu_thuật
        musician | nghệ_sĩ âm_nhạc; pianist | nghệ_sĩ piano; violinist | nghệ_sĩ violin
        writer | nhà_văn; poet | nhà_thơ; novelist | tiểu_thuyết_gia
        """,
    ),
    **table(
        "thing",
        forms="nom",
        rows="""
        flower | bông hoa; rose | bông hoa_hồng; red_rose | bông hoa_hồng đỏ/ADJ; tulip | bông hoa_tulip
        white_tulip | bông hoa_tulip trắng/ADJ; fruit | loại trái_cây; apple | quả táo
        green_apple | quả táo xanh/ADJ; pear | quả lê; yellow_pear | quả lê vàng/ADJ; animal | con vật
        dog | con chó; black_dog | con chó đen/ADJ; cat | con mèo; white_cat | con mèo trắng/ADJ
        horse | con ngựa; instrument | nhạc_cụ; guitar | cây đàn_guitar
        old_guitar | cây đàn_guitar cũ/ADJ; violin | cây đàn_violin; new_violin | cây đàn_violin mới/ADJ
        flute | cây sáo; book | cuốn sách; novel | cuốn tiểu_thuyết; dictionary | cuốn từ_điển
        old_dictionary | cuốn từ_điển cũ/ADJ; tool | dụng_cụ; hammer | chiếc búa
        new_hammer | chiếc búa mới/ADJ; saw | chiếc cưa; toy | món đồ_chơi; doll | con búp_bê
        ball | quả bóng; big_ball | quả bóng to/ADJ
        """,
        patterns={"one": "một/NUM [{}]", "any": "[{}] nào/PRON"},
    ),
    **table(
        "venue",
        forms="nom",
        rows="""
        museum | bảo_tàng; park | công_viên; library | thư_viện; restaurant | nhà_hàng; station | nhà_ga
        theatre | nhà_hát; market | chợ; school | trường_học
        """,
        patterns={"ở": "ở/ADP {}"},
    ),
    **table(
        "event",
        forms="to",
        rows="""
        concert | dự/VERB [buổi hòa_nhạc]; wedding | dự/VERB [đám_cưới]; party | dự/VERB [bữa tiệc]
        dinner | dự/VERB [bữa tối]; exhibition | dự/VERB [buổi triển_lãm]; meeting | dự/VERB [cuộc họp/VERB]
        """,
    ),
    **table(
        "day",
        forms="on",
        rows="""
        monday | vào/ADP thứ_Hai; tuesday | vào/ADP thứ_Ba; wednesday | vào/ADP thứ_Tư
        thursday | vào/ADP thứ_Năm; friday | vào/ADP thứ_Sáu; saturday | vào/ADP thứ_Bảy
        sunday | vào/ADP Chủ_nhật; yesterday | hôm_qua; today | hôm_nay
        """,
    ),
}

_IS_NOT = "không/ADV phải/AUX là/AUX"
_YEAR = "vào/ADP năm/NOUN nào/PRON"
_DAY = "vào/ADP ngày/NOUN nào/PRON"

TEMPLATES = {
    "lives_in.say": "{agent.nom} sống/VERB {place.ở}",
    "lives_in.turn": "nhà/NOUN {agent.của} nằm/VERB {place.ở}",
    "lives_in.deny": "{agent.nom} không/ADV sống/VERB {place.ở}",
    "lives_in.ask_agent": "ai/PRON sống/VERB {place.ở}",
    "lives_in.ask_place": "{agent.nom} sống/VERB ở/ADP đâu/PRON",
    "works_as.say": "{agent.nom} là/AUX {job.nom}",
    "works_as.turn": "nghề_nghiệp/NOUN {agent.của} là/AUX {job.nom}",
    "works_as.deny": f"{{agent.nom}} {_IS_NOT} {{job.nom}}",
    "works_as.ask_agent": "ai/PRON là/AUX {job.nom}",
    "works_as.ask_job": "nghề_nghiệp/NOUN {agent.của} là/AUX gì/PRON",
    "works_for.say": "{agent.nom} làm_việc/VERB {org.cho}",
    "works_for.turn": "{agent.nom} là/AUX nhân_viên/NOUN {org.của}",
    "works_for.deny": "{agent.nom} không/ADV làm_việc/VERB {org.cho}",
    "works_for.ask_agent": "ai/PRON làm_việc/VERB {org.cho}",
    "works_for.ask_org": "{agent.nom} làm_việc/VERB cho/ADP công_ty/NOUN nào/PRON",
    "born_in.say": "{agent.nom} sinh_ra/VERB {place.ở?} {year.in?}",
    "born_in.front": "{year.nom} ,/PUNCT {agent.nom} được/AUX sinh_ra/VERB {place.ở?}",
    "born_in.turn": "{agent.nom} chào_đời/VERB {place.ở?} {year.in?}",
    "born_in.deny": "{agent.nom} không/ADV sinh_ra/VERB {place.ở?} {year.in?}",
    "born_in.ask_agent": "ai/PRON sinh_ra/VERB {place.ở?} {year.in?}",
    "born_in.ask_place": "{agent.nom} sinh_ra/VERB ở/ADP đâu/PRON {year.in?}",
    "born_in.ask_year": f"{{agent.nom}} sinh_ra/VERB {{place.ở?}} {_YEAR}",
    "founded.say": "{agent.nom} đã/ADV thành_lập/VERB {org.nom} {year.in?}",
    "founded.front": "{year.nom} ,/PUNCT {agent.nom} đã/ADV thành_lập/VERB {org.nom}",
    "founded.turn": "{org.nom} được/AUX {agent.nom} thành_lập/VERB {year.in?}",
    "founded.deny": "{agent.nom} không/ADV thành_lập/VERB {org.nom} {year.in?}",
    "founded.ask_agent": "ai/PRON đã/ADV thành_lập/VERB {org.nom} {year.in?}",
    "founded.ask_org": "{agent.nom} đã/ADV thành_lập/VERB công_ty/NOUN nào/PRON {year.in?}",
    "founded.ask_year": f"{{agent.nom}} đã/ADV thành_lập/VERB {{org.nom}} {_YEAR}",
    "older_than.say": "{agent.nom} lớn_tuổi/ADJ hơn/ADV {patient.nom}",
    "older_than.turn": "{patient.nom} nhỏ_tuổi/ADJ hơn/ADV {agent.nom}",
    "older_than.deny": "{agent.nom} không/ADV lớn_tuổi/ADJ hơn/ADV {patient.nom}",
    "older_than.ask_agent": "ai/PRON lớn_tuổi/ADJ hơn/ADV {patient.nom}",
    "older_than.ask_patient": "ai/PRON nhỏ_tuổi/ADJ hơn/ADV {agent.nom}",
    "parent_of.say": "{agent.nom} là/AUX (agent|m=cha|f=mẹ)/NOUN {patient.của}",
    "parent_of.turn": "{patient.nom} là/AUX (patient|m=con_trai|f=con_gái)/NOUN {agent.của}",
    "parent_of.deny": f"{{agent.nom}} {_IS_NOT} (agent|m=cha|f=mẹ)/NOUN {{patient.của}}",
    "parent_of.ask_agent": "ai/PRON là/AUX (agent|m=cha|f=mẹ)/NOUN {patient.của}",
    "parent_of.ask_patient": "ai/PRON là/AUX (patient|m=con_trai|f=con_gái)/NOUN {agent.của}",
    "in_country.say": "{city.nom} là/AUX một/NUM thành_phố/NOUN {country.ở}",
    "in_country.turn": "{city.nom} nằm/VERB {country.ở}",
    "in_country.deny": f"{{city.nom}} {_IS_NOT} một/NUM thành_phố/NOUN {{country.ở}}",
    "in_country.ask_city": "thành_phố/NOUN nào/PRON nằm/VERB {country.ở}",
    "in_country.ask_country": "{city.nom} nằm/VERB ở/ADP nước/NOUN nào/PRON",
    "bought.say": "{agent.nom} đã/ADV mua/VERB {theme.one} {source.từ?} {time.on?}",
    "bought.front": "{time.on} ,/PUNCT {agent.nom} đã/ADV mua/VERB {theme.one} {source.từ?}",
    "bought.turn": "{source.nom} đã/ADV bán/VERB {theme.one} {agent.cho} {time.on?}",
    "bought.deny": "{agent.nom} đã/ADV không/ADV mua/VERB {theme.any} {source.từ?} {time.on?}",
    "bought.ask_agent": "ai/PRON đã/ADV mua/VERB {theme.one} {source.từ?} {time.on?}",
    "bought.ask_theme": "{agent.nom} đã/ADV mua/VERB gì/PRON {source.từ?} {time.on?}",
    "bought.ask_source": "{agent.nom} đã/ADV mua/VERB {theme.one} từ/ADP ai/PRON {time.on?}",
    "bought.ask_time": f"{{agent.nom}} đã/ADV mua/VERB {{theme.one}} {{source.từ?}} {_DAY}",
    "gave.say": "{agent.nom} đã/ADV tặng/VERB {theme.one} {recipient.cho} {time.on?}",
    "gave.front": "{time.on} ,/PUNCT {agent.nom} đã/ADV tặng/VERB {theme.one} {recipient.cho}",
    "gave.turn": "{recipient.nom} đã/ADV được/AUX {agent.nom} tặng/VERB {theme.one} {time.on?}",
    "gave.deny": "{agent.nom} đã/ADV không/ADV tặng/VERB {theme.any} {recipient.cho} {time.on?}",
    "gave.ask_agent": "ai/PRON đã/ADV tặng/VERB {theme.one} {recipient.cho} {time.on?}",
    "gave.ask_theme": "{agent.nom} đã/ADV tặng/VERB gì/PRON {recipient.cho} {time.on?}",
    "gave.ask_recipient": "{agent.nom} đã/ADV tặng/VERB {theme.one} cho/ADP ai/PRON {time.on?}",
    "gave.ask_time": f"{{agent.nom}} đã/ADV tặng/VERB {{theme.one}} {{recipient.cho}} {_DAY}",
    "met.say": "{agent.nom} đã/ADV gặp/VERB {patient.nom} {venue.ở?} {time.on?}",
    "met.front": "{time.on} ,/PUNCT {agent.nom} đã/ADV gặp/VERB {patient.nom} {venue.ở?}",
    "met.turn": "{patient.nom} đã/ADV gặp/VERB {agent.nom} {venue.ở?} {time.on?}",
    "met.deny": "{agent.nom} đã/ADV không/ADV gặp/VERB {patient.nom} {venue.ở?} {time.on?}",
    "met.ask_agent": "ai/PRON đã/ADV gặp/VERB {patient.nom} {venue.ở?} {time.on?}",
    "met.ask_patient": "{agent.nom} đã/ADV gặp/VERB ai/PRON {venue.ở?} {time.on?}",
    "met.ask_venue": "{agent.nom} đã/ADV gặp/VERB {patient.nom} ở/ADP đâu/PRON {time.on?}",
    "met.ask_time": f"{{agent.nom}} đã/ADV gặp/VERB {{patient.nom}} {{venue.ở?}} {_DAY}",
    "helped.say": "{agent.nom} đã/ADV giúp/VERB {patient.nom} {venue.ở?} {time.on?}",
    "helped.front": "{time.on} ,/PUNCT {agent.nom} đã/ADV giúp/VERB {patient.nom} {venue.ở?}",
    "helped.turn": "{patient.nom} đã/ADV được/AUX {agent.nom} giúp/VERB {venue.ở?} {time.on?}",
    "helped.deny": "{agent.nom} đã/ADV không/ADV giúp/VERB {patient.nom} {venue.ở?} {time.on?}",
    "helped.ask_agent": "ai/PRON đã/ADV giúp/VERB {patient.nom} {venue.ở?} {time.on?}",
    "helped.ask_patient": "{agent.nom} đã/ADV giúp/VERB ai/PRON {venue.ở?} {time.on?}",
    "helped.ask_venue": "{agent.nom} đã/ADV giúp/VERB {patient.nom} ở/ADP đâu/PRON {time.on?}",
    "helped.ask_time": f"{{agent.nom}} đã/ADV giúp/VERB {{patient.nom}} {{venue.ở?}} {_DAY}",
    "called.say": "{agent.nom} đã/ADV gọi_điện/VERB {patient.cho} {time.on?}",
    "called.front": "{time.on} ,/PUNCT {agent.nom} đã/ADV gọi_điện/VERB {patient.cho}",
    "called.turn": "{patient.nom} đã/ADV nhận/VERB được/ADV một/NUM cuộc/NOUN gọi/VERB {agent.từ} {time.on?}",
    "called.deny": "{agent.nom} đã/ADV không/ADV gọi_điện/VERB {patient.cho} {time.on?}",
    "called.ask_agent": "ai/PRON đã/ADV gọi_điện/VERB {patient.cho} {time.on?}",
    "called.ask_patient": "{agent.nom} đã/ADV gọi_điện/VERB cho/ADP ai/PRON {time.on?}",
    "called.ask_time": f"{{agent.nom}} đã/ADV gọi_điện/VERB {{patient.cho}} {_DAY}",
    "invited.say": "{agent.nom} đã/ADV mời/VERB {patient.nom} đến/VERB {event.to}",
    "invited.turn": "{patient.nom} đã/ADV được/AUX {agent.nom} mời/VERB đến/VERB {event.to}",
    "invited.deny": "{agent.nom} đã/ADV không/ADV mời/VERB {patient.nom} đến/VERB {event.to}",
    "invited.ask_agent": "ai/PRON đã/ADV mời/VERB {patient.nom} đến/VERB {event.to}",
    "invited.ask_patient": "{agent.nom} đã/ADV mời/VERB ai/PRON đến/VERB {event.to}",
    "invited.ask_event": "{agent.nom} đã/ADV mời/VERB {patient.nom} đến/VERB dự/VERB sự_kiện/NOUN nào/PRON",
    "travelled_to.say": "{agent.nom} đã/ADV đi/VERB du_lịch/VERB {place.đến} {time.on?}",
    "travelled_to.front": "{time.on} ,/PUNCT {agent.nom} đã/ADV đi/VERB du_lịch/VERB {place.đến}",
    "travelled_to.turn": "{agent.nom} đã/ADV có/VERB một/NUM chuyến/NOUN du_lịch/VERB {place.đến} {time.on?}",
    "travelled_to.deny": "{agent.nom} đã/ADV không/ADV đi/VERB du_lịch/VERB {place.đến} {time.on?}",
    "travelled_to.ask_agent": "ai/PRON đã/ADV đi/VERB du_lịch/VERB {place.đến} {time.on?}",
    "travelled_to.ask_place": "{agent.nom} đã/ADV đi/VERB du_lịch/VERB đến/ADP thành_phố/NOUN nào/PRON "
    "{time.on?}",
    "travelled_to.ask_time": f"{{agent.nom}} đã/ADV đi/VERB du_lịch/VERB {{place.đến}} {_DAY}",
}

LANGUAGE = Language(
    code="vi",
    name="Vietnamese",
    words=WORDS,
    templates=TEMPLATES,
    years={"in": "vào/ADP năm/NOUN [{}]", "nom": "năm/NOUN [{}]"},
    joins={"and": "{first} và/CCONJ {second}", "but": "{first} ,/PUNCT nhưng/CCONJ {second}"},
)
