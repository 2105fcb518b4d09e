"""The folder as a source: published files as they lie, and a staged copy of the Hub's."""

import shutil
from pathlib import Path

import pytest
from datasets import ClassLabel, List, Value

from hpc.errors import Unreadable, UserError
from stilts import data, tasks
from stilts.data import labels, sources
from stilts.data.reading import read
from stilts.data.sources import folder
from tests.withholding import withheld

SOURCES = ("folder",)


def examples(name: str, language: str = "en", split: str = "dev", limit: int | None = None) -> list[dict]:
    return list(read(name, language=language, split=split, sources=SOURCES, limit=limit))


def refusal(name: str, language: str = "en", split: str = "dev") -> str:
    with pytest.raises(UserError) as caught:
        examples(name, language, split)
    assert caught.value.code == 3
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Examples in the fixtures, counted by hand.
@pytest.mark.parametrize(
    ("name", "language", "split", "count"),
    [
        ("anli_plus", "en", "train", 3 + 2 + 9),
        ("anli_plus", "en", "dev", 2 + 1 + 6),
        ("mnli", "en", "train", 2),
        ("mnli", "en", "dev", 1),
        ("qqp", "en", "train", 2),
        ("qqp", "en", "dev", 2),
        ("squad_v1", "en", "train", 2),
        ("squad_v1", "en", "dev", 1),
        ("squad_v2", "en", "train", 2),
        ("squad_v2", "en", "dev", 2),
        ("hellaswag", "en", "train", 2),
        ("hellaswag", "en", "dev", 1),
        ("cosmosqa", "en", "train", 1),
        ("cosmosqa", "en", "dev", 2),
        ("commonsenseqa", "en", "train", 1),
        ("commonsenseqa", "en", "dev", 1),
        ("ccg", "en", "train", 20),
        ("ccg", "en", "dev", 2),
        ("xnli", "th", "dev", 2),
        ("xnli", "ur", "test", 2),
        ("pawsx", "en", "train", 2),
        ("pawsx", "de", "dev", 2),
        ("pawsx", "de", "test", 2),
        ("udpos", "en", "train", 2),
        ("udpos", "en", "test", 3),
        ("udpos", "de", "test", 1),
        ("panx", "en", "train", 2),
        ("panx", "de", "dev", 1),
        ("xquad", "zh", "dev", 1),
        ("xquad", "th", "test", 1),
        ("mlqa", "de", "dev", 1),
        ("mlqa", "zh", "test", 1),
        ("tydiqa", "en", "train", 2),
        ("tydiqa", "sw", "test", 1),
        ("tydiqa", "ko", "test", 1),
        ("bucc2018", "de", "dev", 4 + 5 - 2),
        ("bucc2018", "zh", "test", 4 + 5 - 2),
        ("tatoeba", "fa", "test", 2),
    ],
)
def test_every_published_format_is_read(data_folder, name, language, split, count) -> None:
    found = examples(name, language, split)
    assert len(found) == count
    assert len({example["id"] for example in found}) == count


def test_texts_and_labels_come_out_as_they_were_written(data_folder) -> None:
    assert examples("qqp", split="train")[0]["first"] == 'How do I boil an "egg"?'
    assert [e["label"] for e in examples("anli_plus", split="train")][:5] == [0, 2, 1, 0, 1]
    assert examples("cosmosqa", split="train")[0]["prompt"].startswith(
        'It rained , so we stayed in , and "played" all day . Why'
    )
    assert "fell\nto the floor" in examples("cosmosqa")[0]["prompt"]
    assert examples("commonsenseqa")[0] == {
        "id": "own2",
        "prompt": "What do you need to write?",
        "choices": ["sand", "pencil", "soup", "wind", "sofa"],
        "label": 1,
    }
    assert [len(e["answers"]) for e in examples("squad_v2", split="train")] == [1, 0]
    assert examples("xquad", "zh", "test")[0]["answers"] == [{"text": "1902年", "start": 12}]
    assert [e["label"] for e in examples("xnli", "sw", "test")] == [0, 2]
    assert {e["id"] for e in examples("tydiqa", split="train")} == {"english-77-0", "english-78-0"}


def test_fused_words_get_one_tag_as_xtreme_gives_it(data_folder) -> None:
    (german,) = examples("udpos", "de", "test")
    assert (german["tokens"], german["tags"]) == (
        ["Sie", "geht", "zum", "Arzt"],
        ["PRON", "VERB", "ADP", "NOUN"],
    )
    (spanish,) = examples("udpos", "es", "test")
    # The verb stands above its pronouns; "de" and "el" stand side by side, and ADP comes first in the list.
    assert (spanish["tokens"], spanish["tags"]) == (["dámelo", "del", "mar"], ["VERB", "ADP", "NOUN"])
    first, second, beta = examples("udpos", "en", "test")
    assert second["tokens"] == ["Don't", "go", "10000"]  # no spaces within words, no words that are not there
    assert second["tags"] == ["AUX", "VERB", "NUM"]
    assert (first["id"], beta["id"]) == ("en_alpha/s1", "en_beta/s1")


def test_treebanks_are_joined_by_their_file_names_as_xtreme_joins_them(own_folder) -> None:
    """Folders stand otherwise: UD_Italian-PUD before UD_Italian-ParTUT."""
    (model,) = (own_folder / "udpos").glob("German-*/*-ud-test.conllu")
    content = model.read_text(encoding="utf-8")
    shutil.rmtree(own_folder / "udpos")
    for name in ("ISDT", "PUD", "ParTUT"):
        place = own_folder / "udpos" / f"UD_Italian-{name}"
        place.mkdir(parents=True)
        (place / f"it_{name.lower()}-ud-test.conllu").write_text(content, encoding="utf-8")
    found = [example["id"].partition("/")[0] for example in examples("udpos", "it", "test")]
    assert found == ["it_isdt", "it_partut", "it_pud"]


def test_language_prefixes_are_taken_off_words(data_folder) -> None:
    first = examples("panx")[0]
    assert first["tokens"] == ["Ann", "Lee", "left", "12:30", "Rome"]
    assert first["tags"] == ["B-PER", "I-PER", "O", "O", "B-LOC"]


def test_ccg_categories_are_read_off_the_training_sections(data_folder) -> None:
    assert examples("ccg")[0] == {
        "id": "wsj_0001.1",
        "tokens": ["Bob", "reads", "a", "letter"],
        "tags": ["N", "(S[dcl]\\NP)/NP", "NP[nb]/N", "N"],
    }
    assert labels("ccg", sources=SOURCES) == ("(S[dcl]\\NP)/NP", "N", "NP[nb]/N")


def test_ccg_may_come_as_one_sentence_a_line(own_folder) -> None:
    shutil.rmtree(own_folder / "ccg/data")
    for split in ("train", "dev"):
        (own_folder / f"ccg/{split}.txt").write_text("# own\nAnn|NNP|N sleeps|VBZ|S[dcl]\\NP ||SYM|N\n")
    assert examples("ccg")[0]["tokens"] == ["Ann", "sleeps", "|"]
    assert examples("ccg")[0]["tags"] == ["N", "S[dcl]\\NP", "N"]


def test_ccg_is_missed_aloud(own_folder) -> None:
    shutil.rmtree(own_folder / "ccg")
    assert "licensed" in refusal("ccg")
    assert "a study without it leaves ccg out" in refusal("ccg")


def test_a_limit_counts_rows_of_the_language_and_never_distractors(data_folder) -> None:
    assert len(examples("xnli", "zh", "dev", limit=1)) == 1
    assert len(examples("anli_plus", split="train", limit=3)) == 2  # the third has no label
    pool = examples("bucc2018", "de", "dev", limit=1)
    assert [bool(e["english"] and e["foreign"]) for e in pool] == [True] + [False] * 5


def test_mining_pools_keep_ids_pairs_and_distractors(data_folder) -> None:
    pool = examples("bucc2018", "de", "test")
    assert [e["id"] for e in pool if e["english"] and e["foreign"]] == [
        "de-000000001/en-000000001",
        "de-000000002/en-000000005",
    ]
    assert [e["foreign"] for e in pool if not e["english"]] == ["Es regnet heute.", "Ein Satz ohne Partner."]


def test_a_version_follows_the_bytes_and_not_the_place(own_folder, data_folder, monkeypatch) -> None:
    task = tasks.load("tatoeba")

    def version() -> str:
        return folder.version(task, language="zh", split="test")

    here = version()
    monkeypatch.setenv("STILTS_DATA", str(own_folder))
    assert version() == here
    path = own_folder / "tatoeba/tatoeba.cmn-eng.eng"
    path.write_text(path.read_text().replace("today", "now"))
    assert version() != here


def test_without_a_variable_the_folder_is_data(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("STILTS_DATA", raising=False)
    assert folder.root() == Path("data")
    monkeypatch.chdir(tmp_path)
    assert "no data folder data: set STILTS_DATA" in refusal("mnli")


def test_a_missing_language_is_named_with_those_that_are_there(own_folder) -> None:
    shutil.rmtree(own_folder / "udpos/Finnish-Own")
    message = refusal("udpos", "fi", "test")
    assert "lacks udpos fi test; it is there in af, ar, bg, de, " in message
    assert "; looked for udpos/Finnish-*/*-ud-test.conllu, " in message
    (own_folder / "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa-goldp-dev-telugu.json").unlink()
    assert "lacks tydiqa te test; it is there in ar, bn, en, fi" in refusal("tydiqa", "te", "test")


def test_every_set_of_the_study_has_a_fixture(data_folder) -> None:
    for name in tasks.names():
        task = tasks.load(name)
        if task.role not in ("intermediate", "target"):
            continue
        for language in task.languages:
            for split in task.splits:
                if (split != "train" or language == "en") and not (
                    split == "dev" and language in task.without_dev
                ):
                    assert examples(name, language, split), (name, language, split)


def test_a_language_missing_in_a_file_of_several_is_named(own_folder) -> None:
    path = own_folder / "xnli/XNLI-1.0/xnli.test.tsv"
    path.write_text("".join(line for line in path.open() if not line.startswith("sw")))
    message = refusal("xnli", "sw", "test")
    assert "xnli.test.tsv: no row in 'sw', only in ar, bg, de" in message


def test_a_part_that_is_missing_is_named(own_folder) -> None:
    shutil.rmtree(own_folder / "snli")
    assert "lacks anli_plus (snli) en dev; looked for snli/**/snli_1.0_dev.jsonl" in refusal("anli_plus")
    (own_folder / "ccg/data/AUTO/07/wsj_0701.auto").unlink()
    assert "AUTO/07/*.auto is missing, though" in refusal("ccg", split="train")
    (own_folder / "tatoeba/tatoeba.cmn-eng.eng").unlink()
    assert "tatoeba.cmn-eng.eng is missing, though" in refusal("tatoeba", "zh")


@pytest.mark.parametrize(
    ("name", "split", "part"),
    [("xnli", "test", "xnli"), ("xquad", "test", "xquad"), ("udpos", "test", "udpos/English-Beta")],
)
def test_nothing_stands_in_for_what_is_withheld(own_folder, name: str, split: str, part: str) -> None:
    """Neither rows of the next source, nor the treebanks of a language that may be read."""

    def choose() -> str:
        both = ("folder", "embedded")
        return sources.choose(tasks.load(name), language="en", split=split, sources=both).name

    assert choose() == "folder"
    with withheld(own_folder / part), pytest.raises(Unreadable, match=f"{part}.*: Permission denied"):
        choose()


def test_two_copies_of_a_file_are_refused(own_folder) -> None:
    shutil.copytree(own_folder / "snli/snli_1.0", own_folder / "snli/copy")
    message = refusal("anli_plus")
    assert "snli/copy/snli_1.0_dev.jsonl and" in message
    assert "keep one" in message


WRONG = [
    # task, language, split, file, what stands in it, what is put there (None: the whole file), what is said
    ("xquad", "de", "test", "xquad/xquad.de.json", None, "<!DOCTYPE html>\n<html>404</html>",
     "xquad.de.json row 1: a web page was saved"),
    ("squad_v1", "en", "dev", "squad/dev-v1.1.json", "]}]}]}", "",
     "dev-v1.1.json row 1: not JSON, or cut short"),
    ("squad_v1", "en", "train", "squad/train-v1.1.json", '"a2"', "2",
     "train-v1.1.json row 2: no text `id`"),
    ("squad_v1", "en", "train", "squad/train-v1.1.json", '"qas"', '"questions"',
     "train-v1.1.json row 1: no list `qas`"),
    ("squad_v1", "en", "train", "squad/train-v1.1.json", '"answer_start": 36', '"answer_start": 336',
     "train-v1.1.json row 1: the answer starts at character 336 of a passage of 83"),
    ("mlqa", "de", "dev", "mlqa/dev/dev-context-de-question-de.json", None, "[]", "no SQuAD file"),
    ("hellaswag", "en", "train", "hellaswag/hellaswag_train.jsonl", '"label": 0}\n{', '"label": 9}\n{',
     "hellaswag_train.jsonl row 1: label 9 of 4"),
    ("hellaswag", "en", "dev", "hellaswag/hellaswag_val.jsonl", "ctx_a", "context",
     "hellaswag_val.jsonl row 1: no column 'ctx_a'; there are: ind, activity_label, context"),
    ("commonsenseqa", "en", "dev", "commonsenseqa/dev_rand_split.jsonl", '"answerKey": "B"',
     '"answerKey": "F"', "dev_rand_split.jsonl row 1: unknown answer 'F'"),
    ("commonsenseqa", "en", "dev", "commonsenseqa/dev_rand_split.jsonl", None, '["a"]',
     "dev_rand_split.jsonl row 1: a JSON object is expected, not list"),
    ("cosmosqa", "en", "dev", "cosmosqa/valid.csv", ",answer3,", ",answer4,",
     "valid.csv row 3: no column 'answer3'"),
    ("cosmosqa", "en", "dev", "cosmosqa/valid.csv", "It snows .,1", "It snows .,7",
     "valid.csv row 3: label 7 of 4"),
    ("cosmosqa", "en", "dev", "cosmosqa/valid.csv", ",None of the above choices .,2\n", "",
     "valid.csv row 4: 6 fields, but 8 columns"),
    ("cosmosqa", "en", "dev", "cosmosqa/valid.csv", 'floor ."', "floor .",
     "bad quoting, or cut short"),
    ("mnli", "en", "train", "mnli/multinli_1.0/multinli_1.0_train.jsonl", '"gold_label": "neutral"',
     '"gold_label": "maybe"', "multinli_1.0_train.jsonl row 2: unknown NLI label 'maybe'"),
    ("mnli", "en", "train", "mnli/multinli_1.0/multinli_1.0_train.jsonl", 'snowed.", ', "sno",
     "multinli_1.0_train.jsonl row 2: not JSON"),
    ("qqp", "en", "dev", "qqp/dev.tsv", "is_duplicate", "duplicate",
     "dev.tsv row 2: no column 'label'; there are: id, qid1"),
    ("qqp", "en", "dev", "qqp/dev.tsv", "sea salty?\t1", "sea salty?\t2", "dev.tsv row 2: unknown label '2'"),
    ("xnli", "ar", "dev", "xnli/XNLI-1.0/xnli.dev.tsv", "language", "lang",
     "xnli.dev.tsv row 2: no column 'language'"),
    ("pawsx", "de", "test", "pawsx/x-final/de/test_2k.tsv", "\t1\n", "\n",
     "test_2k.tsv row 2: 3 fields, but 4 columns"),
    ("panx", "de", "test", "panx/de/test", "de:wohnt", "en:wohnt",
     "test row 2: a word of 'de' is expected, not 'en:wohnt'"),
    ("panx", "de", "test", "panx/de/test", "B-PER", "B-MISC", "test row 1: unknown tag 'B-MISC'"),
    ("panx", "de", "test", "panx/de/test", "\tB-PER", "", "test row 1: no tag; XTREME's own download"),
    ("udpos", "de", "test", "udpos/German-Alpha/de_alpha-ud-test.conllu", "VERB", "VRB",
     "de_alpha-ud-test.conllu row 1: unknown tag 'VRB'"),
    ("udpos", "de", "test", "udpos/German-Alpha/de_alpha-ud-test.conllu", "root\t_\t_\n", "root\t_\n",
     "de_alpha-ud-test.conllu row 4: 9 columns"),
    ("udpos", "de", "test", "udpos/German-Alpha/de_alpha-ud-test.conllu", "4\tdem", "6\tdem",
     "de_alpha-ud-test.conllu row 7: word '6' with head '5' after 3"),
    ("udpos", "de", "test", "udpos/German-Alpha/de_alpha-ud-test.conllu", "3-4", "3-9",
     "de_alpha-ud-test.conllu row 1: 3-9 'zum' does not fit 5 words"),
    ("udpos", "de", "test", "udpos/German-Alpha/de_alpha-ud-test.conllu", "NOUN\t_\t_\t2", "NOUN\t_\t_\t8",
     "de_alpha-ud-test.conllu row 1: head 8 of 5 words"),
    ("udpos", "de", "test", "udpos/German-Alpha/de_alpha-ud-test.conllu", "dep\t_\t_\n\n", "dep\t_\t_\n",
     "cut short: the last sentence"),
    ("udpos", "de", "test", "udpos/German-Alpha/de_alpha-ud-test.conllu", None, "", "cut short"),
    ("ccg", "en", "dev", "ccg/data/AUTO/00/wsj_0001.auto", "letter N>) ) ) )", "letter N>",
     "wsj_0001.auto row 2: no whole CCGbank derivation"),
    ("tatoeba", "zh", "test", "tatoeba/tatoeba.cmn-eng.cmn", "今天下雨。\n", "",
     "tatoeba.cmn-eng.cmn row 2: missing"),
    ("tatoeba", "zh", "test", "tatoeba/tatoeba.cmn-eng.eng", "Good morning.", "",
     "tatoeba.cmn-eng.eng row 1: an empty sentence"),
    ("bucc2018", "de", "test", "bucc2018/de-en.training.gold", "en-000000005", "en-000000009",
     "de-en.training.gold row 2: a foreign and an English id"),
    ("bucc2018", "de", "test", "bucc2018/de-en.training.de", "de-000000002", "de-000000001",
     "de-en.training.de row 2: the id de-000000001 stands here twice"),
    ("bucc2018", "de", "test", "bucc2018/de-en.training.en", "\tGood", " Good",
     "de-en.training.en row 1: an id, a tab and a sentence are expected"),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[0]}: {case[-1]}")
def test_what_is_wrong_is_named_with_file_and_row(own_folder, case: tuple) -> None:
    name, language, split, path, old, new, message = case
    file = own_folder / path
    text = file.read_text()
    assert old is None or old in text
    file.write_text(new if old is None else text.replace(old, new, 1))
    assert message in refusal(name, language, split)


def test_damaged_rows_beyond_the_known_ones_are_refused(own_folder) -> None:
    path = own_folder / "qqp/train.tsv"
    path.write_text(path.read_text() + "9\tcut\n" * 30)
    assert "train.tsv row 34: 2 fields, but 6 columns" in refusal("qqp", split="train")


def test_bytes_that_are_no_text_are_refused(own_folder) -> None:
    (own_folder / "tatoeba/tatoeba.cmn-eng.eng").write_bytes(b"Good morning.\n\xff\xfe\n")
    assert "tatoeba.cmn-eng.eng row 1: not UTF-8" in refusal("tatoeba", "zh")


def test_test_sets_that_xtremes_download_blanked_are_refused(own_folder) -> None:
    blank = '{"answers": [{"answer_start": 0, "text": ""}]'
    path = own_folder / "xquad/xquad.de.json"
    start = path.read_text().index('"answers"')
    path.write_text(path.read_text()[:start] + blank[1:] + "}]}]}]}")
    assert "none of 1 rows has a label. XTREME's own download" in refusal("xquad", "de", "test")

    shutil.rmtree(own_folder / "xnli")
    (own_folder / "xnli").mkdir()
    (own_folder / "xnli/test-sw.tsv").write_text("Moja.\tMbili.\n")
    assert "test-sw.tsv row 1: 2 fields, but 3 columns" in refusal("xnli", "sw", "test")
    (own_folder / "xnli/test-sw.tsv").write_text('"Moja ""a""."\tMbili.\tneutral\n' * 30)
    assert "all 30 labels are 1. XTREME's own download" in refusal("xnli", "sw", "test")
    (own_folder / "xnli/test-sw.tsv").write_text('"Moja ""a""."\tMbili.\tneutral\n' * 29)
    assert examples("xnli", "sw", "test")[0]["first"] == 'Moja "a".'


def test_copies_that_cannot_serve_are_refused_by_name(own_folder, parquet) -> None:
    shutil.rmtree(own_folder / "bucc2018")
    (own_folder / "bucc2018/bucc18.de").mkdir(parents=True)
    (own_folder / "bucc2018/bucc18.de/test-00000-of-00001.parquet").write_bytes(parquet([{"a": 1}]))
    assert "matched retrieval, not mining" in refusal("bucc2018", "de", "test")
    shutil.rmtree(own_folder / "tatoeba")
    (own_folder / "tatoeba").mkdir()
    for side in ("zh", "en"):
        (own_folder / f"tatoeba/zh-en.{side}").write_text("x\n")
    assert "sorts the English side" in refusal("tatoeba", "zh", "test")


def test_a_staged_copy_is_found_where_the_hub_has_it(own_folder, parquet) -> None:
    shutil.rmtree(own_folder / "udpos")
    tags = {"tokens": List(Value("string")), "pos_tags": List(ClassLabel(names=["VERB", "NOUN"]))}
    place = own_folder / "udpos/udpos.Finnish"
    place.mkdir(parents=True)
    for number, word in enumerate(("Koira", "Kissa")):
        rows = [{"tokens": [word, "juoksee"], "pos_tags": [1, 0]}]
        (place / f"test-0000{number}-of-00002.parquet").write_bytes(parquet(rows, tags))
    found = examples("udpos", "fi", "test")
    assert [example["tokens"][0] for example in found] == ["Koira", "Kissa"]
    assert found[0]["tags"] == ["NOUN", "VERB"]
    assert folder.size(tasks.load("udpos"), language="fi", split="test") == 2
    (place / "test-00001-of-00002.parquet").unlink()
    assert "test-00001-of-00002.parquet is missing" in refusal("udpos", "fi", "test")
    first = place / "test-00000-of-00002.parquet"
    (place / "test-00000-of-00001.parquet").write_bytes(first.read_bytes()[:-9])
    first.unlink()
    assert "test-00000-of-00001.parquet: not a whole parquet file" in refusal("udpos", "fi", "test")


def test_original_files_come_before_a_staged_copy(own_folder, parquet) -> None:
    (own_folder / "xquad/XQuAD.de").mkdir()
    (own_folder / "xquad/XQuAD.de/validation-00000-of-00001.parquet").write_bytes(parquet([{"id": "staged"}]))
    assert examples("xquad", "de", "test")[0]["id"] == "x-de"


def test_nothing_is_half_read(own_folder, tokenizer_file, tmp_path) -> None:
    def encode() -> data.Encoded:
        return data.load(
            "mnli",
            language="en",
            split="train",
            tokenizer_file=tokenizer_file,
            max_length=32,
            sources=SOURCES,
            cache=tmp_path / "cache",
        )

    path = own_folder / "mnli/multinli_1.0/multinli_1.0_train.jsonl"
    whole = path.read_text()
    path.write_text(whole[:-30])
    with pytest.raises(UserError, match=r"multinli_1\.0_train\.jsonl row 2: not JSON, or cut short"):
        encode()
    assert not [entry for entry in (tmp_path / "cache").iterdir() if not entry.name.endswith(".lock")]
    path.write_text(whole)
    assert len(encode().examples) == 2


def test_a_page_saved_as_parquet_is_told_from_a_damaged_file(own_folder) -> None:
    shutil.rmtree(own_folder / "xquad")
    path = own_folder / "xquad/XQuAD.de/validation-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    path.write_text("\n  <html><body>Sign in</body></html>")
    assert "validation-00000-of-00001.parquet row 1: a web page was saved" in refusal("xquad", "de", "test")
    path.write_bytes(b"")
    assert "validation-00000-of-00001.parquet: not a whole parquet file" in refusal("xquad", "de", "test")
