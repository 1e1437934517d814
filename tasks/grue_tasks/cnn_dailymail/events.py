"""News events: lead, story and highlights with slots, and sentences that fill an article up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OFFICES = ("mayor", "police chief", "fire chief", "council leader")


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of news.

    Attributes:
        leads: Wordings of the first sentence, which holds the main facts.
        story: The sentences after it, in order.
        highlights: Four lines, the most important first; all of them true of lead and story.
    """

    slots: Mapping[str, tuple[str, ...]]
    leads: tuple[str, ...]
    story: tuple[str, ...]
    highlights: tuple[str, str, str, str]


EVENTS = (
    Event(
        {"place": ("factory", "warehouse", "hotel", "school", "theatre")},
        (
            "({town}) -- A fire destroyed a {place} in {town} on {day}, but all {number} people inside escaped.",
            "A fire destroyed a {place} in {town} on {day}, and all {number} people who were inside escaped unhurt.",
        ),
        (
            "The fire started shortly after {hour} o'clock in the kitchen of the {place}, the {office} said.",
            "{person}, {age}, saw the smoke first and ran from room to room to warn the others.",
            "It took {small} hours to put the fire out.",
        ),
        (
            "A fire destroyed a {place} in {town} on {day}.",
            "All {number} people inside escaped.",
            "{person}, {age}, saw the smoke first and warned the others.",
            "It took {small} hours to put the fire out.",
        ),
    ),
    Event(
        {"animal": ("bear", "wolf", "python", "kangaroo", "crocodile")},
        (
            "A {animal} that escaped from a small zoo in {town} was caught on {day} after {small} days.",
            "({town}) -- A {animal} that had escaped from a zoo in {town} was caught on {day}, {small} days later.",
        ),
        (
            "The {animal} was found asleep in the garden of {person}, {age}.",
            "{surname} called the police at {hour} o'clock in the morning.",
            "More than {number} people had taken part in the search.",
        ),
        (
            "A {animal} that escaped from a zoo in {town} was caught on {day}.",
            "It was found asleep in the garden of {person}, {age}.",
            "More than {number} people took part in the search.",
            "The {animal} was free for {small} days.",
        ),
    ),
    Event(
        {
            "prize": ("lottery", "chess cup", "bicycle race", "singing contest", "quiz show"),
            "office": ("mayor", "council leader"),
        },
        (
            "{person}, {age}, from {town} has won the {prize} and will give all the money to the local hospital.",
            "The winner of the {prize}, {person}, {age}, of {town}, will give all the money to the local hospital.",
        ),
        (
            "The prize of {money},000 dollars was handed over on {day}.",
            '"I have all that I need," {surname} said.',
            "The hospital in {town} wants to use the money for {small} new rooms.",
        ),
        (
            "{person}, {age}, from {town} has won the {prize}.",
            "{surname} will give all the money to the local hospital.",
            "The prize is {money},000 dollars.",
            "The hospital wants to use it for {small} new rooms.",
        ),
    ),
    Event(
        {
            "find": ("gold coins", "Roman pots", "old letters", "swords", "silver spoons"),
            "office": ("mayor", "council leader"),
        },
        (
            "Workers who were repairing a road in {town} have found {number} {find}, it was announced on {day}.",
            "({town}) -- Workers have found {number} {find} under a road in {town}, it was announced on {day}.",
        ),
        (
            "The {find} are worth about {money},000 dollars, said {person}, {age}, of the museum in {second_town}.",
            "They lay only {small} feet below the street.",
            "The museum will show them from next month.",
        ),
        (
            "Workers have found {number} {find} under a road in {town}.",
            "The {find} are worth about {money},000 dollars.",
            "They lay only {small} feet below the street.",
            "The museum in {second_town} will show them from next month.",
        ),
    ),
    Event(
        {"weather": ("storm", "flood", "snowstorm", "landslide")},
        (
            "{number} people had to leave their homes in {town} on {day} because of a {weather}.",
            "({town}) -- In {town}, {number} people had to leave their homes on {day} because of a {weather}.",
        ),
        (
            "They are spending the night in {small} schools in {second_town}, the {office} said.",
            "{person}, {age}, was rescued from a roof by helicopter.",
            "The damage is put at {money} million dollars.",
        ),
        (
            "{number} people had to leave their homes in {town} because of a {weather}.",
            "They are spending the night in {small} schools in {second_town}.",
            "{person}, {age}, was rescued from a roof by helicopter.",
            "The damage is put at {money} million dollars.",
        ),
    ),
)

# The first comment says who the witness is.
INTRODUCTIONS = (
    '"It all happened so fast," said {witness}, who lives across the street.',
    '"I still cannot believe it," said {witness}, a teacher from {town}.',
    '"At first I thought it was a joke," said {witness}, who runs a bookshop nearby.',
    '"I was just making coffee when I heard the news," said {witness}, who has lived in {town} for years.',
)
COMMENTS = (
    '"We are proud of everyone who helped," the {office} told reporters.',
    '"I have never seen anything like it," {witness} said.',
    '"Nobody here will forget this day," said one neighbour.',
    '"We still have many questions," the {office} said, "and we will answer them one by one."',
    '"My phone has not stopped ringing," {witness} said with a smile.',
    '"People in {second_town} called us at once and offered their help," the {office} added.',
    '"Of course I was surprised," said {witness}, "but in this town you learn to expect surprises."',
    '"You read about such things in the newspaper," one shopkeeper said, "and then you are in it."',
    '"I will tell my grandchildren about it," said {witness}.',
    '"We have worked day and night," said the {office}, "and we are grateful for every hand."',
    '"My neighbours came over and we talked until midnight," {witness} said.',
    '"It could have ended very differently," the {office} told a local radio station.',
    '"The children ask about nothing else," said {witness}.',
    '"Nobody called me; I read it on my phone," complained a man in the queue at the post office.',
    '"We will learn from this," the {office} promised.',
)
BACKGROUND = (
    "{town} is a quiet place that most people only know from the train window.",
    "The last time that reporters came here was eleven years ago, when the old bridge was closed.",
    "A meeting for all who want to know more will be held in the town hall next week.",
    "The local radio station changed its programme and spoke of nothing else.",
    "Several shops stayed closed for the rest of the day.",
    "Children were allowed to go home early from school.",
    "The police asked visitors to leave their cars outside the town and to walk.",
    "A spokeswoman for the county said that a report would be published in the autumn.",
    "Pictures of the scene were shared many thousands of times within a few hours.",
    "Not everyone was pleased, and some called for new rules.",
    "The town council had talked about such a case only last year, without any result.",
    "In the evening the café at the market square was as full as on a holiday.",
    "Experts from the university will come to look at the matter more closely.",
    "An old law from the time of the railway may now become important again.",
    "The story was first reported by a student who writes for a small weekly paper.",
    "By the next morning life had returned to normal, at least on the surface.",
    "The church bells, which usually ring only on Sundays, were heard in the whole valley.",
    "Neighbouring towns have promised to send help if it should be needed.",
    "A bakery on the main road gave free coffee and rolls to everyone who came.",
    "Insurance companies did not want to comment, but one of them has sent two of its staff.",
)
