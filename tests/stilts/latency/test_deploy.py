"""Ways to serve give one answer each, and their times are what they are said to be."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stilts.latency import lengths
from stilts.latency.deploy import layouts, server, traffic
from stilts.latency.deploy.layouts import Layout
from stilts.latency.deploy.loading import Loader, size_of
from stilts.latency.deploy.traffic import Query, Request, Traffic
from stilts.model import checkpoint as checkpoints, folder as models
from stilts.model.encoder import EncoderConfig, PackedEncoder
from stilts.model.heads import HeadSpec
from stilts.model.multitask import Model
from stilts.run.specs import TimedModel
from stilts.tasks.coding.pieces import open_tokenizer

CONFIG = EncoderConfig(
    hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, vocab_size=120,
    max_position_embeddings=130,
)  # fmt: skip
HEADS = {
    "xnli": HeadSpec(kind="classify", labels=("a", "b", "c")),
    "udpos": HeadSpec(kind="tag", labels=("x", "y")),
    "xquad": HeadSpec(kind="span"),
}


def model(seed: int, *heads: str) -> Model:
    encoder = PackedEncoder(CONFIG, dropout=0.0).eval()
    encoder.reinitialise(seed)
    return Model(encoder, {name: HEADS[name] for name in heads}, seed=seed).eval()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model with all heads, and one for each target."""
    root = tmp_path_factory.mktemp("weights")
    (root / "none").mkdir()
    for n, (name, heads) in enumerate({"joint": tuple(HEADS), **{f"only-{h}": (h,) for h in HEADS}}.items()):
        made = model(n, *heads)
        models.save(made, made.state_dict(), root / name, tokenizer_from=root / "none")
    return root


def timed(weights: str, target: str) -> TimedModel:
    return TimedModel(regime="any", intermediate="", weights=weights, target=target, head=target)


SHARED = tuple(timed("joint", target) for target in HEADS)
APART = tuple(timed(f"only-{target}", target) for target in HEADS)


@pytest.fixture
def loader(folders: Path) -> Loader:
    return Loader(folder=lambda run: folders / run, device="cpu", dtype="fp32", attention="sdpa")


@pytest.fixture
def made(loader: Loader) -> dict[str, Layout]:
    return {name: layouts.make(name, SHARED if name == "shared" else APART, loader) for name in layouts.NAMES}


def query(number: int, *sizes: int) -> Query:
    chance = np.random.default_rng(number)
    return Query(number, chance.integers(4, 120, sum(sizes)), sizes)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[torch.Tensor]]]:
    """What every pass said, and about how many texts."""
    heard: list[tuple[int, list[torch.Tensor]]] = []
    ask = layouts._ask

    def listening(*arguments):  # type: ignore[no-untyped-def]
        said = ask(*arguments)
        heard.append((len(arguments[1]), said))
        return said

    monkeypatch.setattr(layouts, "_ask", listening)
    return heard


def test_a_text_of_three_tasks_is_encoded_once_or_three_times(made, answers, folders) -> None:  # type: ignore[no-untyped-def]
    text = query(1, 20)
    request = Request(query=text, targets=tuple(HEADS))
    for name, passes in (("shared", 1), ("resident", 3), ("swapped", 3)):
        answers.clear()
        made[name].answer([request])
        assert len(answers) == passes
        for target, said in zip(HEADS, [one for _, told in answers for one in told], strict=True):
            reference = models.load(folders / ("joint" if name == "shared" else f"only-{target}")).eval()
            with torch.no_grad():
                expected = reference(target, traffic.batch_of([text]))
            torch.testing.assert_close(said, expected, rtol=1e-4, atol=1e-5)


def test_a_swap_brings_the_model_that_is_asked_and_only_where_another_is_there(made) -> None:  # type: ignore[no-untyped-def]
    swapped = made["swapped"]
    first, second = (
        Request(query=query(n, 9), targets=(target,)) for n, target in enumerate(("xnli", "udpos"))
    )
    assert swapped.answer([first]) > 0
    assert swapped.answer([first]) == 0
    assert swapped.answer([second]) > 0
    assert swapped.answer([first, second, first]) > 0


def test_weights_are_counted_where_they_lie(made, folders) -> None:  # type: ignore[no-untyped-def]
    one = size_of([models.load(folders / "only-udpos")])
    assert made["shared"].num_models == 1
    assert made["resident"].num_models == made["swapped"].num_models == 3
    assert made["shared"].weights < 1.2 * one
    assert made["resident"].weights > 2.9 * one
    assert made["resident"].host_weights == 0
    assert made["swapped"].weights < 1.2 * one
    assert made["swapped"].host_weights == made["resident"].weights


def test_targets_that_share_weights_share_a_model_and_stand_ins_do_not(loader: Loader, folders: Path) -> None:
    both = (timed("joint", "xnli"), timed("joint", "udpos"))
    assert layouts.make("resident", both, loader).num_models == 1
    bare = folders / "bare"
    encoder = PackedEncoder(CONFIG, dropout=0.0).eval()
    encoder.reinitialise(0)
    made = Model(encoder, {})
    models.save(made, made.state_dict(), bare, tokenizer_from=folders / "none")
    (bare / "heads.json").unlink()
    stand_ins = (timed("bare", "xnli"), timed("bare", "udpos"))
    assert layouts.make("resident", stand_ins, loader).num_models == 2
    assert layouts.make("shared", stand_ins, loader).num_models == 1


class Clock:
    """In the place of `time`: a look at it takes a microsecond."""

    def __init__(self) -> None:
        self.now = 0

    def perf_counter_ns(self) -> int:
        self.now += 1000
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(server, "time", made)
    return made


@dataclass
class Scripted(Layout):
    """Takes a fixed time a pass, on a clock of the test's."""

    clock: Clock
    seconds: float
    together: bool = True
    passes: list[int] = field(default_factory=list)
    name = "shared"
    attention = "none"
    num_models = 1
    weights = 0

    def answer(self, requests):  # type: ignore[no-untyped-def]
        self.passes.append(len(requests))
        self.clock.sleep(self.seconds)
        return 0

    def serves_together(self, first, other):  # type: ignore[no-untyped-def]
        return self.together or first.targets == other.targets


def asked(count: int) -> list[Request]:
    return [Request(query=query(n, 5), targets=("xnli" if n % 2 else "udpos",)) for n in range(count)]


def test_a_query_that_waited_says_so(clock: Clock) -> None:
    """Ten at once, one at a time, 5 ms each: the last was to be sent 50 ms before its answer."""
    trial = server.serve(Scripted(clock, 0.005), asked(10), np.zeros(10), batch=1, rate=math.inf)
    assert [row["wall_ns"] / 1e6 for row in trial.rows] == pytest.approx(range(5, 55, 5), abs=0.1)
    assert [row["queue_ns"] / 1e6 for row in trial.rows] == pytest.approx(range(0, 50, 5), abs=0.1)


def test_the_clock_starts_when_a_query_was_to_be_sent(clock: Clock) -> None:
    """The second comes 1 ms after the first, which takes 20: no omission of its wait."""
    trial = server.serve(Scripted(clock, 0.02), asked(2), np.array([0.0, 0.001]), batch=1, rate=1000.0)
    assert trial.rows[1]["wall_ns"] / 1e6 == pytest.approx(39, abs=0.1)


def test_a_wait_for_the_next_query_is_nobodys_time(clock: Clock) -> None:
    trial = server.serve(Scripted(clock, 0.005), asked(2), np.array([0.0, 0.1]), batch=1, rate=10.0)
    assert [row["wall_ns"] / 1e6 for row in trial.rows] == pytest.approx([5, 5], abs=0.1)
    assert clock.now / 1e6 == pytest.approx(106, abs=0.5)


def test_what_waits_is_answered_together_up_to_the_batch(clock: Clock) -> None:
    layout = Scripted(clock, 0.002)
    server.serve(layout, asked(10), np.zeros(10), batch=4, rate=math.inf)
    assert layout.passes == [4, 4, 2]
    apart = Scripted(clock, 0.002, together=False)
    trial = server.serve(apart, asked(10), np.zeros(10), batch=4, rate=math.inf)
    assert apart.passes == [4, 4, 1, 1]
    assert [row["task"] for row in trial.rows[:4]] == ["udpos"] * 4
    assert sorted(row["query_id"] for row in trial.rows) == list(range(10))


def test_the_search_closes_in_on_the_highest_rate_that_holds() -> None:
    """Answers in time up to 70 a second, works off a heap at 100 a second."""
    tried = []

    def trial(rate: float) -> server.Trial:
        tried.append(rate)
        late = 1_000_000 if rate <= 70 else 90_000_000
        last = 1_000_000_000 if math.isinf(rate) else late
        return server.Trial(rate=rate, rows=[{"wall_ns": n * last // 100} for n in range(1, 101)])

    found = list(server.search(trial, bound_ms=50, share=0.99, steps=7))
    assert math.isinf(found[0].rate)
    held = max(rate for rate in tried[1:] if rate <= 70)
    assert 66 < held <= 70
    assert len(found) == 8


def test_traffic_comes_by_shares_and_without_repeats_before_all_came() -> None:
    made = Traffic(
        queries={"xnli": [query(n, 5) for n in range(6)], "xquad": [query(n, 9, 4) for n in range(3)]},
        shares={"xnli": 0.75, "xquad": 0.25},
        seed=(1, 1),
    )
    drawn = made.requests(2000, "server")
    share = sum(one.targets == ("xnli",) for one in drawn) / 2000
    assert share == pytest.approx(0.75, abs=0.04)
    of_xquad = [one.query.number for one in drawn if one.targets == ("xquad",)]
    for first in range(0, len(of_xquad) - 3, 3):
        assert sorted(of_xquad[first : first + 3]) == [0, 1, 2]
    assert [one.query.number for one in drawn] == [one.query.number for one in made.requests(2000, "server")]
    assert made.requests(50, "texts") != drawn[:50]
    other = replace(made, seed=(1, 2))
    assert [one.query.number for one in other.requests(50, "server")] != [
        one.query.number for one in drawn[:50]
    ]
    assert [one.number for one in other.texts(50)] == [one.number for one in made.texts(50)]
    times = made.arrivals(4000, 20.0, "server")
    assert times[-1] == pytest.approx(200, rel=0.06)
    assert np.std(np.diff(times)) == pytest.approx(0.05, rel=0.1)


def test_lengths_that_ship_are_of_real_sets() -> None:
    assert set(lengths.known()) == {"xquad", "udpos"}
    english, german = lengths.read("xquad", "en"), lengths.read("xquad", "de")
    assert len(english) == len(german) == 150
    # The same questions: German takes more tokens, and windows of 384 where a passage does not fit.
    assert sum(map(sum, german)) > 1.05 * sum(map(sum, english))
    assert max(map(len, lengths.read("xquad", "es"))) > 1
    assert all(5 <= size <= 384 for windows in german for size in windows)


def test_lengths_are_written_and_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = {"xnli": {"en": [(12,), (9, 4)], "sw": [(15,), (11, 7)]}}
    file = tmp_path / "lengths.toml"
    file.write_text(lengths.as_toml(counted, about=["from nowhere"]))
    monkeypatch.setattr(lengths, "TABLE", file)
    lengths._table.cache_clear()
    try:
        assert lengths.read("xnli", "sw") == counted["xnli"]["sw"]
        with pytest.raises(Exception, match="Did you mean 'xnli'"):
            lengths.read("xnl", "sw")
        with pytest.raises(Exception, match="unknown language 'de'"):
            lengths.read("xnli", "de")
    finally:
        lengths._table.cache_clear()


def test_random_weights_have_the_published_shape() -> None:
    from stilts.model.known import UNTRAINED
    from stilts.model.pretrained import untrained

    large = UNTRAINED["random:xlm-roberta-large"]
    assert (large.hidden_size, large.num_hidden_layers, large.num_attention_heads) == (1024, 24, 16)
    shape = replace(large, num_hidden_layers=1, vocab_size=50)
    small = untrained.untrained(tokenizer="", shape=shape, seed=1)
    assert small.tensors["encoder.layer.0.intermediate.dense.weight"].shape == (4096, 1024)


def test_a_model_without_a_tokenizer_is_written_and_read(tmp_path: Path) -> None:
    from stilts.model.pretrained import prepare

    prepare("random:toy", destination=tmp_path / "toy")
    assert checkpoints.read(tmp_path / "toy").config["vocab_size"] == 1000
    assert not (tmp_path / "toy" / "tokenizer.json").exists()
    prepare("random:toy", destination=tmp_path / "asked", texts=["Anna lives in Paris."], cache=tmp_path)
    asked = checkpoints.read(tmp_path / "asked").config
    assert asked["hidden_size"] == 64
    assert asked["vocab_size"] == open_tokenizer(tmp_path / "asked" / "tokenizer.json").get_vocab_size()
    with pytest.raises(Exception, match=r"unknown shape 'toi' in random:toi\. Did you mean 'toy'"):
        prepare("random:toi", destination=tmp_path / "other")
