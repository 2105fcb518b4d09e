import gettext
import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hpc.errors import UserError
from stilts.embedded import catalogue

SPOKEN = catalogue.languages() if importlib.util.find_spec("django") else ()
pytestmark = pytest.mark.skipif(not SPOKEN, reason="django is not installed")


def test_enough_languages():
    assert len(SPOKEN) >= 30
    assert {"de", "fr", "ru", "zh", "sw", "th", "ar"} <= set(SPOKEN)
    assert not {"en", "jv", "yo"} & set(SPOKEN)


@pytest.mark.parametrize("language", SPOKEN)
def test_pairs_are_clean_sentences(language):
    pairs = catalogue.pairs(language)
    assert len(pairs) >= catalogue.MIN_PAIRS
    for side in zip(*pairs, strict=True):
        assert len(set(side)) == len(side)
        for text in side:
            assert text == " ".join(text.split()) != ""
            assert not any(
                mark in text for mark in ("%(", "%s", "%d", "{", "}", "</", "<a", "&nbsp;", "\0", "\4")
            )
    assert all(len(english.split()) >= 4 for english, _ in pairs)
    assert all(english != foreign for english, foreign in pairs)
    assert pairs == catalogue.pairs(language)


@pytest.mark.parametrize("language", ["de", "zh", "th"])
def test_pairs_are_what_gettext_translates(language):
    package = Path(importlib.util.find_spec("django").submodule_search_locations[0])
    folder = catalogue.FOLDERS.get(language, language)
    readers = []
    for path in sorted(package.glob(f"**/locale/{folder}/LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            readers.append(gettext.GNUTranslations(file))
    translations = {}
    for reader in readers:
        for message, translated in reader._catalog.items():
            if isinstance(message, str):
                key = " ".join(message.rpartition("\4")[2].split())
                translations.setdefault(key, set()).add(" ".join(translated.split()))
    for english, foreign in catalogue.pairs(language):
        assert foreign in translations[english]


@pytest.mark.parametrize(
    ("language", "first", "last"),
    [("zh", "\u4e00", "\u9fff"), ("th", "\u0e00", "\u0e7f"), ("ru", "\u0400", "\u04ff")],
)
def test_foreign_side_is_in_its_script(language, first, last):
    letters = Counter(
        first <= letter <= last
        for _, foreign in catalogue.pairs(language)
        for letter in foreign
        if letter.isalpha()
    )
    assert letters[True] > 4 * letters[False]


def test_order_does_not_follow_the_alphabet_and_is_shared_by_languages():
    german = [english for english, _ in catalogue.pairs("de")]
    french = [english for english, _ in catalogue.pairs("fr")]
    assert german != sorted(german)
    both = set(german) & set(french)
    assert [text for text in german if text in both] == [text for text in french if text in both]


def test_tatoeba_rows_have_the_schema_of_google_xtreme():
    rows = catalogue.tatoeba_rows("zh", 20)
    assert len(rows) == 20
    assert set(rows[0]) == {"source_sentence", "target_sentence", "source_lang", "target_lang"}
    assert {(row["source_lang"], row["target_lang"]) for row in rows} == {("cmn", "eng")}
    assert [(row["target_sentence"], row["source_sentence"]) for row in rows] == catalogue.pairs("zh")[:20]
    assert len(catalogue.tatoeba_rows("zh", None)) == len(catalogue.pairs("zh"))


@pytest.mark.parametrize("language", catalogue.BUCC_LANGUAGES)
def test_pools_hide_the_pairs_among_distractors(language):
    pairs = set(catalogue.pairs(language))
    found = set()
    for split in ("dev", "test"):
        pools = catalogue.bucc_pools(language, split)
        foreign, english = dict(pools["foreign"]), dict(pools["english"])
        assert len(foreign) == len(pools["foreign"])
        assert len(set(english.values())) == len(english)
        gold = {(english[e], foreign[f]) for f, e in pools["gold"]}
        assert gold <= pairs
        found |= gold
        for side in (foreign, english):
            assert len(side) >= 1.5 * len(gold), "a pool of pairs alone is no mining"
    assert found == pairs


@pytest.mark.parametrize("language", catalogue.BUCC_LANGUAGES)
def test_no_pair_but_gold_is_in_a_pool(language):
    messages = set(catalogue._messages(language))
    for split in ("dev", "test"):
        pools = catalogue.bucc_pools(language, split)
        foreign, english = dict(pools["foreign"]), dict(pools["english"])
        gold = {(english[e], foreign[f]) for f, e in pools["gold"]}
        inside = {pair for pair in messages if pair[0] in english.values() and pair[1] in foreign.values()}
        assert inside == gold
        for side in (foreign, english):
            bare = {"".join(letter for letter in text.lower() if letter.isalpha()) for text in side.values()}
            assert len(bare) >= 0.97 * len(side)


@pytest.mark.parametrize("language", catalogue.BUCC_LANGUAGES)
def test_splits_share_nothing(language):
    dev, test = (catalogue.bucc_pools(language, split) for split in ("dev", "test"))
    assert len(dev["gold"]) < len(test["gold"])
    for side in ("foreign", "english"):
        assert not {text for _, text in dev[side]} & {text for _, text in test[side]}


def test_place_in_a_pool_does_not_tell_gold_from_distractor():
    pools = catalogue.bucc_pools("de", "test")
    gold = {e for _, e in pools["gold"]}
    flags = [name in gold for name, _ in pools["english"]]
    half = len(flags) // 2
    assert 0.25 < sum(flags[:half]) / sum(flags) < 0.75


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(UserError, match=r"Known: .*zh"):
        catalogue.pairs("zz")
    with pytest.raises(UserError, match="Known: de, fr, ru, zh"):
        catalogue.bucc_pools("es", "dev")
    with pytest.raises(UserError, match="dev, test"):
        catalogue.bucc_pools("de", "train")


def test_missing_package_is_one_problem(monkeypatch):
    catalogue._locales.cache_clear()
    catalogue._messages.cache_clear()
    monkeypatch.setitem(sys.modules, "django", None)
    with pytest.raises(UserError, match=r"pip install 'stilts\[mini\]'") as caught:
        catalogue.pairs("de")
    assert caught.value.code == 3


def test_reading_imports_neither_django_nor_anything_heavy():
    script = "from stilts.embedded import catalogue; catalogue.pairs('de'); import sys; print(*sys.modules)"
    root = Path(catalogue.__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    modules = ran.stdout.split()
    assert not {"django", "torch", "transformers", "numpy"} & set(modules)
