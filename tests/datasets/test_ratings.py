"""Ratings and labels as people write them, each with the stars that it means."""

import pytest

from keras_repro.datasets import ratings
from keras_repro.text.terms import NO_LABEL, NO_NUMBER, NO_RATING, OUT_OF_RANGE, UNKNOWN_LABEL

# Of a scale of five.
SPELLINGS = {
    0: "0 0.0",
    1: "1 1.0 １ 1星 1分 一星 很差 非常不满意 ★☆☆☆☆ ★ allstar10 1/5 2/10 20% 0.2 terrible "
    "rating1-t",
    2: "2 2星 二星 两星 两颗星 较差 不满意 ★★☆☆☆ irr-star20 4/10 40% 1,5 poor 一星半",
    3: "3 三星 3.0颗星，最多5颗星 还行 中评 一般 ⭐⭐⭐ 2.5 allstar30 3of5 60％ rating3-t",
    4: "4 4.0 四星 推荐 满意 ★★★★☆ 4分 8/10 80% sml-str40 3.5 三颗半星 三星半 4.0/5 ★★★½",
    5: "5 5.0 5e0 五星 5颗星 力荐 好评 满分 很好 ★★★★★ ⭐️⭐️⭐️⭐️⭐️ 10/10 100% allstar50 "
    "4.5 4,5 4.5分",
}
REFUSED = (
    "很多 meh star ☆☆☆☆☆ 五五 4..5 1.000,5 3星半半 ½ 星 分 4-5 a5 5a ★5 allstar rating-t / % "
    "八成 #N/A"
)


@pytest.mark.parametrize("stars", SPELLINGS)
def test_spellings(stars: int) -> None:
    grade = ratings.by_rating(5)
    words = SPELLINGS[stars].split()
    assert {word: grade(word) for word in words} == dict.fromkeys(words, stars)


def test_there_are_sixty_spellings() -> None:
    assert sum(len(words.split()) for words in SPELLINGS.values()) >= 60


def test_spellings_with_blanks() -> None:
    grade = ratings.by_rating(5)
    found = [grade(word) for word in ("4.0 out of 5 stars", " 5 星 ", "3 stars", "Very Good")]
    assert found == [4, 5, 3, 4]


def test_what_has_a_scale_of_its_own_keeps_it() -> None:
    grade = ratings.by_rating(10)
    words = ("9", "9分", "七星", "★★★★☆", "4/5", "80%", "推荐", "allstar40")
    assert [grade(word) for word in words] == [5, 5, 4, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("word", REFUSED.split())
def test_refused(word: str) -> None:
    assert ratings.by_rating(5)(word) == NO_NUMBER


@pytest.mark.parametrize("word", ["6", "六星", "11/10", "120%", "2/0", "-3", "inf", "sml-str60"])
def test_out_of_range(word: str) -> None:
    assert ratings.by_rating(5)(word) == OUT_OF_RANGE


@pytest.mark.parametrize("word", ["", " ", "-1", "无", "暂无评分", "--", "N/A", "none", None])
def test_none_given(word: str | None) -> None:
    assert ratings.by_rating(5)(word) == NO_RATING


@pytest.mark.parametrize(
    ("words", "stars"),
    [
        ("1 1.0 +1 pos Positive TRUE 正 正面 正向 积极 好评 好 推荐 good 喜欢 👍", 5),
        ("0 0.0 -1 -1.0 neg NEGATIVE false 负 负面 负向 消极 差评 坏 不推荐 bad 讨厌 👎", 1),
        ("neutral 中性 中评 一般", 3),
    ],
)
def test_labels(words: str, stars: int) -> None:
    grade = ratings.by_label()
    assert {word: grade(word) for word in words.split()} == dict.fromkeys(words.split(), stars)


def test_labels_that_mean_nothing() -> None:
    grade = ratings.by_label()
    assert [grade(word) for word in ("2", "很", "1.5", "")] == [*[UNKNOWN_LABEL] * 3, NO_LABEL]
