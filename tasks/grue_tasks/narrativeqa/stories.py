"""Plots of invented stories, with questions and two answers to each."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from grue_tasks._writing.names import MEN, TOWNS, WOMEN
from grue_tasks._writing.splits import sentence_case

_JOBS = ("baker", "clockmaker", "sailor", "gardener", "painter", "printer", "tailor", "miller")
_THINGS = ("letter", "map", "ring", "key", "diary", "photograph", "violin", "coin")
_HIDING = ("chimney", "barn", "attic", "cellar", "kitchen", "garden")
_ANIMALS = ("dog", "horse", "parrot", "fox", "donkey", "goose")


@dataclass(frozen=True, slots=True)
class Plot:
    """A story with slots.

    Attributes:
        title: Title with slots.
        parts: Sentences of the summary; of each tuple one wording is taken.
        questions: Questions, each with two answers.
        slots: Words for the plot's own slots; names and towns are shared by all.
    """

    title: str
    parts: tuple[tuple[str, ...], ...]
    questions: tuple[tuple[str, tuple[str, str]], ...]
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """A plot with its slots filled."""

    title: str
    summary: str
    questions: tuple[tuple[str, tuple[str, ...]], ...]
    is_book: bool
    words: int


def told(plot: Plot, rng: random.Random, questions: int) -> Story:
    """The plot with names, places and wordings drawn, and that many of its questions."""
    woman, other = rng.sample(WOMEN, 2)
    man, rival = rng.sample(MEN, 2)
    town, far = rng.sample(TOWNS, 2)
    filling = {"woman": woman, "other": other, "man": man, "rival": rival, "town": town, "far": far}
    filling |= {slot: rng.choice(words) for slot, words in sorted(plot.slots.items())}
    asked = rng.sample(plot.questions, questions)
    return Story(
        title=plot.title.format(**{slot: sentence_case(word) for slot, word in filling.items()}),
        summary=" ".join(rng.choice(part).format(**filling) for part in plot.parts),
        questions=tuple(
            (question.format(**filling), tuple(answer.format(**filling) for answer in answers))
            for question, answers in asked
        ),
        is_book=rng.random() < 0.5,
        words=rng.randrange(9_000, 90_000),
    )


PLOTS = (
    Plot(
        "The {job} of {town}",
        (
            (
                "{woman} is a {job} who lives alone in {town}.",
                "In {town} lives {woman}, a poor {job}.",
            ),
            (
                "One winter she finds a {thing} that is hidden in the {hiding}.",
                "One evening she discovers a {thing} in the {hiding} of her house.",
            ),
            ("It once belonged to {man}, who died in the war.", "It was lost by {man}, a soldier who never came home."),
            (
                "{rival}, a greedy merchant, tries to steal it, but her {animal} chases him away.",
                "A greedy merchant called {rival} wants to steal it, but her {animal} drives him off.",
            ),
            (
                "In the end {woman} sells her house and takes the {thing} to {far}, where the sister of {man} lives.",
                "At last {woman} travels to {far} and gives the {thing} to the sister of {man}.",
            ),
        ),
        (
            ("What is {woman}'s job?", ("{job}", "She is a {job}")),
            ("Where does {woman} live?", ("{town}", "In {town}")),
            ("What does {woman} find?", ("a {thing}", "She finds a {thing}.")),
            ("Where was the {thing} hidden?", ("in the {hiding}", "the {hiding}")),
            ("Who tries to steal the {thing}?", ("{rival}", "{rival}, a greedy merchant")),
            ("Who chases {rival} away?", ("her {animal}", "The {animal} of {woman}.")),
            ("To which town does {woman} travel?", ("{far}", "She travels to {far}.")),
        ),
        {"job": _JOBS, "thing": _THINGS, "hiding": _HIDING, "animal": _ANIMALS},
    ),
    Plot(
        "A Wedding in {town}",
        (
            (
                "{man} and {woman} are going to be married in {town}.",
                "In {town}, everything is ready for the wedding of {man} and {woman}.",
            ),
            (
                "The night before, {rival}, the {job}, tells {woman} that {man} already has a wife in {far}.",
                "But {rival}, a jealous {job}, tells {woman} that {man} has a wife in {far}.",
            ),
            ("She runs away and hides in the {hiding}.", "She is so unhappy that she hides in the {hiding}."),
            (
                "Her sister {other} discovers that {rival} lied because he loves {woman} himself.",
                "{other}, her sister, finds out that it was a lie, for {rival} loves {woman} himself.",
            ),
            (
                "The couple are married at midnight, and {rival} leaves the town with a {animal}.",
                "They are married at midnight, while {rival} leaves with nothing but a {animal}.",
            ),
        ),
        (
            ("Whom is {woman} going to marry?", ("{man}", "She is going to marry {man}.")),
            ("What is {rival}'s job?", ("{job}", "He is a {job}")),
            ("Where does {woman} hide?", ("in the {hiding}", "the {hiding}")),
            ("Who discovers the lie?", ("{other}", "{other}, the sister of {woman}")),
            ("Why did {rival} lie?", ("he loves {woman}", "Because he loves {woman} himself.")),
            ("When are {man} and {woman} married?", ("midnight", "At midnight")),
            ("Where is the wedding?", ("{town}", "In {town}")),
        ),
        {"job": _JOBS, "hiding": _HIDING, "animal": _ANIMALS},
    ),
    Plot(
        "The Flight of {man}",
        (
            (
                "{man}, a young {job}, wins a {animal} at a fair in {town}.",
                "At a fair in {town} the {job} {man} wins a {animal}.",
            ),
            (
                "He soon learns that the {animal} can speak and that it knows where a {thing} is buried.",
                "To his surprise the {animal} speaks and tells him of a buried {thing}.",
            ),
            (
                "Together they walk to {far}, but {rival}, the captain of the guard, puts {man} in prison.",
                "They set out for {far}, where {rival}, the captain of the guard, locks {man} up.",
            ),
            (
                "{woman}, the daughter of the captain, opens the prison door at night.",
                "At night {woman}, the captain's daughter, opens the door of the prison.",
            ),
            (
                "They find the {thing}, but {man} throws it into the sea because it brings bad luck.",
                "When the {thing} is found, {man} throws it into the sea, since it only brings bad luck.",
            ),
        ),
        (
            ("What does {man} win at the fair?", ("a {animal}", "He wins a {animal}.")),
            ("What is {man}'s job?", ("{job}", "He is a {job}")),
            ("What is buried?", ("a {thing}", "A {thing} is buried.")),
            ("Who puts {man} in prison?", ("{rival}", "{rival}, the captain of the guard")),
            ("Who opens the prison door?", ("{woman}", "{woman}, the daughter of the captain")),
            ("Why does {man} throw the {thing} into the sea?", ("bad luck", "Because it brings bad luck.")),
            ("Where is the fair?", ("{town}", "In {town}")),
        ),
        {"job": _JOBS, "thing": _THINGS, "animal": _ANIMALS},
    ),
)
