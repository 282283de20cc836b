"""Names that differ only by what nobody can see are not two names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.repositories.users import fold
from shared.types import IGNORABLE, MAXIMUM_USERNAME_CHARACTERS, Username

HIDDEN = {
    "NUL": "\x00",
    "soft hyphen": "\xad",
    "combining grapheme joiner": "\u034f",
    "Arabic letter mark": "\u061c",
    "Hangul choseong filler": "\u115f",
    "Hangul jungseong filler": "\u1160",
    "Ogham space": "\u1680",
    "Khmer inherent vowel": "\u17b4",
    "Mongolian variation selector": "\u180b",
    "Mongolian vowel separator": "\u180e",
    "Mongolian variation selector four": "\u180f",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "right-to-left override": "\u202e",
    "word joiner": "\u2060",
    "Braille blank": "\u2800",
    "Hangul filler": "\u3164",
    "private use": "\ue000",
    "variation selector 1": "\ufe00",
    "variation selector 16": "\ufe0f",
    "byte order mark": "\ufeff",
    "halfwidth Hangul filler": "\uffa0",
    "unassigned, ignorable": "\ufff0",
    "object replacement": "\ufffc",
    "Khitan filler": "\U00016fe4",
    "hieroglyph full blank": "\U00013441",
    "hieroglyph half blank": "\U00013442",
    "shorthand overlap": "\U0001bca0",
    "musical null notehead": "\U0001d159",
    "musical begin beam": "\U0001d173",
    "tag": "\U000e0061",
    "variation selector 17": "\U000e0100",
}

validate = TypeAdapter[str](Username).validate_python


def refusal(name: str) -> str:
    with pytest.raises(ValidationError) as refused:
        validate(name)
    [fault] = refused.value.errors()
    return fault["msg"]


@pytest.mark.parametrize("character", HIDDEN.values(), ids=HIDDEN.keys())
@pytest.mark.parametrize("name", ["vic{}tim", "victim{}", "{}victim", "{}"])
def test_character_that_nobody_can_see_is_refused_by_its_number(name: str, character: str) -> None:
    expected = f"Value error, the character U+{ord(character):04X} is not allowed"
    assert refusal(name.format(character)) == expected


def test_ignorable_are_as_many_as_the_standard_counts() -> None:
    # "Total code points" of the property in Unicode 17.0's DerivedCoreProperties.txt.
    assert sum(IGNORABLE.match(chr(code)) is not None for code in range(0x110000)) == 4174


@pytest.mark.parametrize("name", ["...", "\u0301" * 5, "\U0001f600", "- -"])
def test_name_without_a_letter_or_a_digit_is_refused(name: str) -> None:
    assert refusal(name) == "Value error, at least one letter or digit is needed"


@pytest.mark.parametrize("name", [" ada", "ada ", "ada\u3000", "\xa0ada", " "])
def test_space_at_an_end_is_refused(name: str) -> None:
    assert refusal(name) == "Value error, white space at its ends is not allowed"


def test_length_is_that_of_the_name_that_is_stored() -> None:
    name = "\ufdfa" * 7
    assert len(validate(name)) == 7 * 18 <= MAXIMUM_USERNAME_CHARACTERS
    assert refusal(name + "\ufdfa") == "Value error, it has 144 characters in NFKC, and may have 128"


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "7",
        "Ada Lovelace",
        "Zoë O'Brien-Smith, 2nd",
        "x'; DROP TABLE identity.users; --",
        "Владимир",
        "山田 太郎",
        "한국어",
        "عمر",
        "हिन्दी",
        "ada \U0001f600",
    ],
)
def test_name_that_can_be_read_is_taken_as_it_is(name: str) -> None:
    assert validate(name) == name


@pytest.mark.parametrize("name", ["Ada  Lovelace", "Ada\xa0Lovelace", "Ada\u3000\u2003Lovelace"])
def test_spaces_of_any_width_are_one_space(name: str) -> None:
    assert validate(name) == "Ada Lovelace"


@given(st.text(max_size=12))
def test_name_that_was_answered_is_taken_again_and_is_the_same_user(name: str) -> None:
    try:
        chosen = validate(name)
    except ValidationError:
        return
    assert validate(chosen) == chosen
    assert fold(fold(chosen)) == fold(chosen)
    assert fold(validate(unicodedata.normalize("NFD", chosen))) == fold(chosen)


@pytest.mark.parametrize(
    "one, other",
    [
        ("Straße", "STRASSE"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("\ufb01", "FI"),
        ("e\u034f\u0301", "É"),
        ("vic\ufe0ftim", "\u3164VICTIM"),
        ("\u03b1\u0345\u0323", "\u0391\u0323\u0399"),
    ],
)
def test_names_that_fold_to_the_same_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert unicodedata.is_normalized("NFKC", fold(one))


def test_marks_that_can_be_seen_make_another_name() -> None:
    assert len({fold(name) for name in ("resume", "résumé", "resumé", "re sume")}) == 4
