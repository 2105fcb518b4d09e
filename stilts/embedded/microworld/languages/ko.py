"""Korean, formal style throughout. A word is an eojeol: a noun with its particle, the verb with its ending.

Particles follow the last syllable of what they hang on. As in the Korean treebanks a noun with an adverbial
particle is ADV, one with the copula VERB.
"""

from collections.abc import Callable

from stilts.embedded.microworld.grammar import Language, table

_Attach = Callable[[str], str]

_VOWEL, _RIEUL = 0, 8
"""What a syllable may end in, as its place in the Hangul block counts it."""


def _particle(closed: str, opened: str, upos: str = "", *, vowels: tuple[int, ...] = (_VOWEL,)) -> _Attach:
    """A particle after a final consonant and after a vowel, or what counts as one."""

    def attach(name: str) -> str:
        ending = opened if (ord(name[-1]) - ord("가")) % 28 in vowels else closed
        return f"[{name}]{ending}/{upos}" if upos else f"[{name}]{ending}"

    return attach


_TO = _particle("으로", "로", "ADV", vowels=(_VOWEL, _RIEUL))
_AT = _particle("에서", "에서", "ADV")
_IN = _particle("에", "에", "ADV")

PARTICLES = {
    "top": _particle("은", "는"),
    "acc": _particle("을", "를"),
    "gen": _particle("의", "의"),
}

PEOPLE = {
    **PARTICLES,
    "dat": _particle("에게", "에게", "ADV"),
    "from": _particle("에게서", "에게서", "ADV"),
    "than": _particle("보다", "보다", "ADV"),
    "by": lambda name: f"[{name}]에/ADV 의해/VERB",
}

WORDS = {
    **table(
        "person",
        forms="nom",
        rows="""
        anna | 안나; maria | 마리아; laura | 로라; sofia | 소피아; clara | 클라라; nina | 니나
        julia | 줄리아; elena | 엘레나; diana | 다이애나; vera | 베라; emma | 에마; lisa | 리사
        nora | 노라; paula | 파울라; irina | 이리나; sara | 사라; peter | 피터; martin | 마틴
        david | 데이비드; daniel | 대니얼; robert | 로버트; thomas | 토머스; adam | 애덤
        simon | 사이먼; victor | 빅터; oscar | 오스카; leon | 레온; felix | 펠릭스; anton | 안톤
        max | 막스; edgar | 에드거; conrad | 콘래드
        """,
        patterns=PEOPLE,
    ),
    **table(
        "surname",
        forms="nom",
        rows="""
        rossi | 로시; moreno | 모레노; romano | 로마노; marino | 마리노; conti | 콘티; sato | 사토
        ito | 이토; bruni | 브루니; franco | 프랑코; kato | 가토; russo | 루소; ricci | 리치
        mori | 모리; navarro | 나바로; nakano | 나카노; longo | 롱고
        """,
        patterns=PEOPLE,
    ),
    **table("pronoun", forms="nom", rows="she | 그녀; he | 그", patterns={"top": PARTICLES["top"]}),
    **table(
        "city",
        forms="nom",
        rows="""
        paris | 파리; rome | 로마; madrid | 마드리드; berlin | 베를린; vienna | 빈; lisbon | 리스본
        tokyo | 도쿄; cairo | 카이로; moscow | 모스크바; toronto | 토론토; lima | 리마; oslo | 오슬로
        new_york | 뉴욕; delhi | 델리; lyon | 리옹; milan | 밀라노; barcelona | 바르셀로나
        munich | 뮌헨; salzburg | 잘츠부르크; porto | 포르투; osaka | 오사카; montreal | 몬트리올
        bergen | 베르겐; los_angeles | 로스앤젤레스
        """,
        patterns={**PARTICLES, "in": _IN, "at": _AT, "to": _TO},
    ),
    **table(
        "country",
        forms="nom",
        rows="""
        france | 프랑스; italy | 이탈리아; spain | 스페인; germany | 독일; austria | 오스트리아
        portugal | 포르투갈; japan | 일본; egypt | 이집트; russia | 러시아; canada | 캐나다
        peru | 페루; norway | 노르웨이; india | 인도; america | 미국
        """,
        patterns={**PARTICLES, "in": _IN},
    ),
    **table(
        "org",
        forms="nom",
        rows="""
        norvik | 노르비크; orbitel | 오르비텔; lumena | 루메나; vectora | 벡토라
        alpina_group | 알피나 그룹; polaris | 폴라리스; zenta | 젠타; corvida | 코르비다
        tavira_air | 타비라 항공; delfina | 델피나; nimbus | 님부스; altera | 알테라
        brista_group | 브리스타 그룹; solveta | 솔베타; kestra | 케스트라; marvena | 마르베나
        """,
        patterns={**PARTICLES, "at": _AT},
    ),
    **table(
        "job",
        forms="nom",
        rows="""
        doctor | 의사; teacher | 교사; lawyer | 변호사; engineer | 엔지니어; journalist | 기자
        cook | 요리사; baker | 제빵사; pilot | 조종사; architect | 건축가; painter | 화가; singer | 가수
        pharmacist | 약사; surgeon | 외과 의사; musician | 음악가; pianist | 피아니스트
        violinist | 바이올리니스트; writer | 작가; poet | 시인; novelist | 소설가
        """,
        patterns={"as": _TO, "is": _particle("입니다", "입니다", "VERB")},
    ),
    **table(
        "thing",
        forms="nom",
        rows="""
        flower | 꽃; rose | 장미; red_rose | 빨간/ADJ 장미; tulip | 튤립; white_tulip | 하얀/ADJ 튤립
        fruit | 과일; apple | 사과; green_apple | 초록색 사과; pear | 배; yellow_pear | 노란/ADJ 배
        animal | 동물; dog | 개; black_dog | 검은/ADJ 개; cat | 고양이; white_cat | 하얀/ADJ 고양이
        horse | 말; instrument | 악기; guitar | 기타; old_guitar | 오래된/ADJ 기타; violin | 바이올린
        new_violin | 새/DET 바이올린; flute | 플루트; book | 책; novel | 소설; dictionary | 사전
        old_dictionary | 오래된/ADJ 사전; tool | 공구; hammer | 망치; new_hammer | 새/DET 망치
        saw | 톱; toy | 장난감; doll | 인형; ball | 공; big_ball | 큰/ADJ 공
        """,
        patterns={"acc": PARTICLES["acc"]},
    ),
    **table(
        "venue",
        forms="nom",
        rows="""
        museum | 박물관; park | 공원; library | 도서관; restaurant | 식당; station | 역; theatre | 극장
        market | 시장; school | 학교
        """,
        patterns={"at": _AT},
    ),
    **table(
        "event",
        forms="nom",
        rows="""
        concert | 음악회; wedding | 결혼식; party | 파티; dinner | 저녁 식사; exhibition | 전시회
        meeting | 회의
        """,
        patterns={"to": _IN},
    ),
    **table(
        "day",
        forms="nom | on",
        rows="""
        monday | 월요일; tuesday | 화요일; wednesday | 수요일; thursday | 목요일; friday | 금요일
        saturday | 토요일; sunday | 일요일; yesterday | 어제/ADV | 어제/ADV; today | 오늘/ADV | 오늘/ADV
        """,
        patterns={"on": _IN},
    ),
}

TEMPLATES = {
    "lives_in.say": "{agent.top} {place.in} 삽니다/VERB",
    "lives_in.turn": "{agent.gen} 집은/NOUN {place.in} 있습니다/ADJ",
    "lives_in.deny": "{agent.top} {place.in} 살지/VERB 않습니다/AUX",
    "lives_in.ask_agent": "누가/PRON {place.in} 삽니까/VERB",
    "lives_in.ask_place": "{agent.top} 어디에/ADV 삽니까/VERB",
    "works_as.say": "{agent.top} {job.as} 일합니다/VERB",
    "works_as.turn": "{agent.gen} 직업은/NOUN {job.is}",
    "works_as.deny": "{agent.top} {job.as} 일하지/VERB 않습니다/AUX",
    "works_as.ask_agent": "누가/PRON {job.as} 일합니까/VERB",
    "works_as.ask_job": "{agent.gen} 직업은/NOUN 무엇입니까/VERB",
    "works_for.say": "{agent.top} {org.at} 일합니다/VERB",
    "works_for.turn": "{org.top} {agent.acc} 고용하고/VERB 있습니다/AUX",
    "works_for.deny": "{agent.top} {org.at} 일하지/VERB 않습니다/AUX",
    "works_for.ask_agent": "누가/PRON {org.at} 일합니까/VERB",
    "works_for.ask_org": "{agent.top} 어느/DET 회사에서/ADV 일합니까/VERB",
    "born_in.say": "{agent.top} {year.in?} {place.at?} 태어났습니다/VERB",
    "born_in.front": "{year.in} {agent.top} {place.at?} 태어났습니다/VERB",
    "born_in.turn": "{agent.top} {year.in?} {place.at?} 출생했습니다/VERB",
    "born_in.deny": "{agent.top} {year.in?} {place.at?} 태어나지/VERB 않았습니다/AUX",
    "born_in.ask_agent": "누가/PRON {year.in?} {place.at?} 태어났습니까/VERB",
    "born_in.ask_place": "{agent.top} {year.in?} 어디에서/ADV 태어났습니까/VERB",
    "born_in.ask_year": "{agent.top} 몇/DET 년에/ADV {place.at?} 태어났습니까/VERB",
    "founded.say": "{agent.top} {year.in?} {org.acc} 설립했습니다/VERB",
    "founded.front": "{year.in} {agent.top} {org.acc} 설립했습니다/VERB",
    "founded.turn": "{org.top} {year.in?} {agent.by} 설립되었습니다/VERB",
    "founded.deny": "{agent.top} {year.in?} {org.acc} 설립하지/VERB 않았습니다/AUX",
    "founded.ask_agent": "누가/PRON {year.in?} {org.acc} 설립했습니까/VERB",
    "founded.ask_org": "{agent.top} {year.in?} 어느/DET 회사를/NOUN 설립했습니까/VERB",
    "founded.ask_year": "{agent.top} 몇/DET 년에/ADV {org.acc} 설립했습니까/VERB",
    "older_than.say": "{agent.top} {patient.than} 나이가/NOUN 많습니다/ADJ",
    "older_than.turn": "{patient.top} {agent.than} 나이가/NOUN 적습니다/ADJ",
    "older_than.deny": "{agent.top} {patient.than} 나이가/NOUN 많지/ADJ 않습니다/AUX",
    "older_than.ask_agent": "누가/PRON {patient.than} 나이가/NOUN 많습니까/ADJ",
    "older_than.ask_patient": "누가/PRON {agent.than} 나이가/NOUN 적습니까/ADJ",
    "parent_of.say": "{agent.top} {patient.gen} (agent|m=아버지입니다|f=어머니입니다)/VERB",
    "parent_of.turn": "{patient.top} {agent.gen} (patient|m=아들입니다|f=딸입니다)/VERB",
    "parent_of.deny": "{agent.top} {patient.gen} (agent|m=아버지가|f=어머니가)/NOUN 아닙니다/ADJ",
    "parent_of.ask_agent": "누가/PRON {patient.gen} (agent|m=아버지입니까|f=어머니입니까)/VERB",
    "parent_of.ask_patient": "누가/PRON {agent.gen} (patient|m=아들입니까|f=딸입니까)/VERB",
    "in_country.say": "{city.top} {country.gen} 도시입니다/VERB",
    "in_country.turn": "{city.top} {country.in} 있습니다/ADJ",
    "in_country.deny": "{city.top} {country.gen} 도시가/NOUN 아닙니다/ADJ",
    "in_country.ask_city": "어느/DET 도시가/NOUN {country.in} 있습니까/ADJ",
    "in_country.ask_country": "{city.top} 어느/DET 나라에/ADV 있습니까/ADJ",
    "bought.say": "{agent.top} {time.on?} {source.from?} {theme.acc} 샀습니다/VERB",
    "bought.front": "{time.on} {agent.top} {source.from?} {theme.acc} 샀습니다/VERB",
    "bought.turn": "{source.top} {time.on?} {agent.dat} {theme.acc} 팔았습니다/VERB",
    "bought.deny": "{agent.top} {time.on?} {source.from?} {theme.acc} 사지/VERB 않았습니다/AUX",
    "bought.ask_agent": "누가/PRON {time.on?} {source.from?} {theme.acc} 샀습니까/VERB",
    "bought.ask_theme": "{agent.top} {time.on?} {source.from?} 무엇을/PRON 샀습니까/VERB",
    "bought.ask_source": "{agent.top} {time.on?} 누구에게서/ADV {theme.acc} 샀습니까/VERB",
    "bought.ask_time": "{agent.top} 언제/ADV {source.from?} {theme.acc} 샀습니까/VERB",
    "gave.say": "{agent.top} {time.on?} {recipient.dat} {theme.acc} 주었습니다/VERB",
    "gave.front": "{time.on} {agent.top} {recipient.dat} {theme.acc} 주었습니다/VERB",
    "gave.turn": "{recipient.top} {time.on?} {agent.from} {theme.acc} 받았습니다/VERB",
    "gave.deny": "{agent.top} {time.on?} {recipient.dat} {theme.acc} 주지/VERB 않았습니다/AUX",
    "gave.ask_agent": "누가/PRON {time.on?} {recipient.dat} {theme.acc} 주었습니까/VERB",
    "gave.ask_theme": "{agent.top} {time.on?} {recipient.dat} 무엇을/PRON 주었습니까/VERB",
    "gave.ask_recipient": "{agent.top} {time.on?} 누구에게/ADV {theme.acc} 주었습니까/VERB",
    "gave.ask_time": "{agent.top} 언제/ADV {recipient.dat} {theme.acc} 주었습니까/VERB",
    "met.say": "{agent.top} {time.on?} {venue.at?} {patient.acc} 만났습니다/VERB",
    "met.front": "{time.on} {agent.top} {venue.at?} {patient.acc} 만났습니다/VERB",
    "met.turn": "{patient.top} {time.on?} {venue.at?} {agent.acc} 만났습니다/VERB",
    "met.deny": "{agent.top} {time.on?} {venue.at?} {patient.acc} 만나지/VERB 않았습니다/AUX",
    "met.ask_agent": "누가/PRON {time.on?} {venue.at?} {patient.acc} 만났습니까/VERB",
    "met.ask_patient": "{agent.top} {time.on?} {venue.at?} 누구를/PRON 만났습니까/VERB",
    "met.ask_venue": "{agent.top} {time.on?} 어디에서/ADV {patient.acc} 만났습니까/VERB",
    "met.ask_time": "{agent.top} 언제/ADV {venue.at?} {patient.acc} 만났습니까/VERB",
    "helped.say": "{agent.top} {time.on?} {venue.at?} {patient.acc} 도왔습니다/VERB",
    "helped.front": "{time.on} {agent.top} {venue.at?} {patient.acc} 도왔습니다/VERB",
    "helped.turn": "{patient.top} {time.on?} {venue.at?} {agent.gen} 도움을/NOUN 받았습니다/VERB",
    "helped.deny": "{agent.top} {time.on?} {venue.at?} {patient.acc} 돕지/VERB 않았습니다/AUX",
    "helped.ask_agent": "누가/PRON {time.on?} {venue.at?} {patient.acc} 도왔습니까/VERB",
    "helped.ask_patient": "{agent.top} {time.on?} {venue.at?} 누구를/PRON 도왔습니까/VERB",
    "helped.ask_venue": "{agent.top} {time.on?} 어디에서/ADV {patient.acc} 도왔습니까/VERB",
    "helped.ask_time": "{agent.top} 언제/ADV {venue.at?} {patient.acc} 도왔습니까/VERB",
    "called.say": "{agent.top} {time.on?} {patient.dat} 전화했습니다/VERB",
    "called.front": "{time.on} {agent.top} {patient.dat} 전화했습니다/VERB",
    "called.turn": "{patient.top} {time.on?} {agent.gen} 전화를/NOUN 받았습니다/VERB",
    "called.deny": "{agent.top} {time.on?} {patient.dat} 전화하지/VERB 않았습니다/AUX",
    "called.ask_agent": "누가/PRON {time.on?} {patient.dat} 전화했습니까/VERB",
    "called.ask_patient": "{agent.top} {time.on?} 누구에게/ADV 전화했습니까/VERB",
    "called.ask_time": "{agent.top} 언제/ADV {patient.dat} 전화했습니까/VERB",
    "invited.say": "{agent.top} {patient.acc} {event.to} 초대했습니다/VERB",
    "invited.turn": "{patient.top} {agent.from} {event.nom} 초대를/NOUN 받았습니다/VERB",
    "invited.deny": "{agent.top} {patient.acc} {event.to} 초대하지/VERB 않았습니다/AUX",
    "invited.ask_agent": "누가/PRON {patient.acc} {event.to} 초대했습니까/VERB",
    "invited.ask_patient": "{agent.top} 누구를/PRON {event.to} 초대했습니까/VERB",
    "invited.ask_event": "{agent.top} {patient.acc} 어떤/DET 행사에/ADV 초대했습니까/VERB",
    "travelled_to.say": "{agent.top} {time.on?} {place.to} 여행을/NOUN 갔습니다/VERB",
    "travelled_to.front": "{time.on} {agent.top} {place.to} 여행을/NOUN 갔습니다/VERB",
    "travelled_to.turn": "{agent.top} {time.on?} {place.nom} 여행을/NOUN 했습니다/VERB",
    "travelled_to.deny": "{agent.top} {time.on?} {place.to} 여행을/NOUN 가지/VERB 않았습니다/AUX",
    "travelled_to.ask_agent": "누가/PRON {time.on?} {place.to} 여행을/NOUN 갔습니까/VERB",
    "travelled_to.ask_place": "{agent.top} {time.on?} 어디로/ADV 여행을/NOUN 갔습니까/VERB",
    "travelled_to.ask_time": "{agent.top} 언제/ADV {place.to} 여행을/NOUN 갔습니까/VERB",
}

LANGUAGE = Language(
    code="ko",
    name="Korean",
    words=WORDS,
    templates=TEMPLATES,
    years={"in": "[{}년]에/ADV"},
    joins={"and": "{first} ./PUNCT 그리고/CCONJ {second}", "but": "{first} ./PUNCT 그러나/CCONJ {second}"},
    full_name="last",
)
