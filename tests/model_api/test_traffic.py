"""What a challenger gets: how it is written down, and who is of a share."""

import json
from pathlib import Path
from typing import Any

import pytest

from model_api.errors import ArtifactError
from model_api.traffic import Share, Traffic, as_table, in_words, read_traffic, require_aliases

BY_HEADER = Share("challenger", 10, "header:x-user-id")
SHARED = "the challenger answers for 10 % of the values of the header x-user-id, the champion for the rest"


def of_share(share: Share, count: int = 4000) -> float:
    return sum(share.takes("line", {"x-user-id": f"user-{i}"}, []) for i in range(count)) / count


def test_nothing_is_set_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_traffic(tmp_path) == Traffic()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    traffic = Traffic("challenger", Share("candidate", 2.5, "feature:patient"))
    (tmp_path / "traffic.json").write_text(json.dumps(as_table(traffic)))

    assert read_traffic(tmp_path) == traffic
    assert as_table(Traffic()) == {}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"mirror": "challenger"}, "unknown key 'mirror'"),
        ({"shadow": "Not An Alias"}, "'Not An Alias' is no alias"),
        ({"share": {"alias": "challenger"}}, "missing"),
        ({"share": {"alias": "challenger", "percent": 101, "key": "header:x"}}, "percent must be"),
        ({"share": {"alias": "challenger", "percent": True, "key": "header:x"}}, "percent must be"),
        ({"share": {"alias": "challenger", "percent": "9", "key": "header:x"}}, "percent must be"),
        ({"share": {"alias": "challenger", "percent": 1, "key": "cookie:x"}}, "key must be"),
        ({"share": {"alias": "challenger", "percent": 1, "key": "header:"}}, "key must be"),
        ({"share": {"alias": "challenger", "percent": 1, "key": "header:x", "salt": 1}}, "unexpected"),
        ([], ""),
        (3, ""),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: Any, words: str) -> None:
    (tmp_path / "traffic.json").write_text(json.dumps(table))

    with pytest.raises(ArtifactError, match=f"traffic.json is not a table of traffic: .*{words}"):
        read_traffic(tmp_path)


@pytest.mark.parametrize("percent", [0, 1, 10, 50, 100])
def test_a_share_is_as_large_as_it_says(percent: float) -> None:
    assert of_share(Share("challenger", percent, "header:x-user-id")) == pytest.approx(percent / 100, abs=0.025)


def test_the_same_key_is_always_of_the_same_side() -> None:
    sides = [{BY_HEADER.takes("line", {"x-user-id": f"{i}"}, []) for _ in range(5)} for i in range(200)]

    assert all(len(side) == 1 for side in sides)


def test_a_larger_share_keeps_whom_it_had() -> None:
    small, large = Share("challenger", 10, "header:h"), Share("challenger", 30, "header:h")

    assert all(large.takes("m", {"h": f"{i}"}, []) for i in range(1000) if small.takes("m", {"h": f"{i}"}, []))


def test_shares_of_other_models_are_of_other_keys() -> None:
    same = sum(
        BY_HEADER.takes("a", {"x-user-id": f"{i}"}, []) and BY_HEADER.takes("b", {"x-user-id": f"{i}"}, [])
        for i in range(4000)
    )

    assert same / 4000 == pytest.approx(0.01, abs=0.01)


def test_a_key_may_be_a_feature_of_the_first_instance() -> None:
    share = Share("challenger", 100, "feature:patient")

    assert share.takes("line", {}, [{"patient": 7}, {}])
    assert not share.takes("line", {"patient": "7"}, [{}])
    assert not share.takes("line", {}, [])
    assert not share.takes("line", {}, ["no object"])
    assert not share.takes("line", {}, [{"patient": ""}])


def test_who_has_no_key_is_of_no_share() -> None:
    assert not Share("challenger", 100, "header:x-user-id").takes("line", {}, [])


@pytest.mark.parametrize("traffic", [Traffic("nobody"), Traffic(None, Share("nobody", 10, "header:x"))])
def test_an_alias_that_no_version_has_is_refused(traffic: Traffic) -> None:
    with pytest.raises(ValueError, match="no version has the alias 'nobody'; there is champion, challenger"):
        require_aliases(traffic, {"champion": "1", "challenger": "2"})
    require_aliases(traffic, {"nobody": "1"})


@pytest.mark.parametrize(
    ("traffic", "words"),
    [
        (Traffic(), "the champion answers alone"),
        (Traffic("challenger"), "the champion answers alone; the challenger looks on"),
        (
            Traffic("candidate", BY_HEADER),
            f"{SHARED}; the candidate looks on",
        ),
    ],
)
def test_what_is_set_is_said_in_a_sentence(traffic: Traffic, words: str) -> None:
    assert in_words(traffic) == words
