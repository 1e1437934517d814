"""Everyday scenes: concepts, the words that may fill them, and sentences that people might write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """Sentences over one set of concepts.

    Attributes:
        concepts: Slot names, or words that stand for themselves.
        slots: Slot -> words that may fill it; each fits every frame.
        frames: Sentences that use all concepts, inflected where needed.
    """

    concepts: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]]
    frames: tuple[str, ...]


_PERSON = ("man", "woman", "boy", "girl", "teacher", "farmer", "artist", "child", "student", "neighbour")
_ANIMAL = ("dog", "cat", "horse", "puppy", "goat")

SCENES = (
    Scene(
        ("person", "ball", "animal", "throw"),
        {"person": _PERSON, "animal": ("dog", "puppy")},
        (
            "The {person} throws a ball for the {animal}.",
            "A {person} is throwing a ball and the {animal} runs after it.",
            "The {animal} waits for the {person} to throw the ball.",
            "In the park a {person} throws the ball to a {animal}.",
        ),
    ),
    Scene(
        ("person", "thing", "table", "put"),
        {"person": _PERSON, "thing": ("book", "cup", "plate", "lamp", "letter", "hat", "basket", "radio")},
        (
            "The {person} puts the {thing} on the table.",
            "A {person} is putting a {thing} on the kitchen table.",
            "There is a {thing} on the table because the {person} put it there.",
            "Before dinner the {person} puts a {thing} on the table.",
        ),
    ),
    Scene(
        ("person", "instrument", "play", "place"),
        {
            "person": _PERSON,
            "instrument": ("guitar", "piano", "drum", "violin", "flute"),
            "place": ("stage", "street", "beach", "roof"),
        },
        (
            "A {person} plays the {instrument} on the {place}.",
            "The {person} is playing a {instrument} on the {place}.",
            "On the {place} a {person} plays a song on the {instrument}.",
            "People listen while the {person} plays the {instrument} on the {place}.",
        ),
    ),
    Scene(
        ("animal", "sleep", "place"),
        {"animal": _ANIMAL, "place": ("sofa", "grass", "floor", "blanket", "porch", "straw")},
        (
            "The {animal} sleeps on the {place}.",
            "A {animal} is sleeping on the {place} in the afternoon.",
            "A tired {animal} sleeps on the warm {place}.",
            "The old {animal} likes to sleep on the {place}.",
        ),
    ),
    Scene(
        ("person", "vehicle", "ride", "road"),
        {"person": _PERSON, "vehicle": ("bike", "horse", "scooter", "motorcycle", "donkey")},
        (
            "The {person} rides a {vehicle} down the road.",
            "A {person} is riding a {vehicle} on a dusty road.",
            "On the empty road a {person} rides an old {vehicle}.",
            "The {person} rides the {vehicle} along the road to school.",
        ),
    ),
    Scene(
        ("person", "food", "cook", "kitchen"),
        {"person": _PERSON, "food": ("soup", "rice", "pasta", "fish", "porridge", "stew")},
        (
            "The {person} cooks some {food} in the kitchen.",
            "A {person} is cooking {food} in a small kitchen.",
            "In the kitchen the {person} cooks {food} for the family.",
            "The {food} that the {person} cooked is still in the kitchen.",
        ),
    ),
    Scene(
        ("person", "tree", "sit", "read", "thing"),
        {"person": _PERSON, "thing": ("book", "newspaper", "letter", "magazine")},
        (
            "The {person} sits under a tree and reads a {thing}.",
            "A {person} is sitting under the tree, reading a {thing}.",
            "Under the big tree a {person} sits and reads a {thing}.",
            "The {person} reads a {thing} while sitting by a tree.",
        ),
    ),
    Scene(
        ("person", "thing", "wash", "water"),
        {"person": _PERSON, "thing": ("car", "dog", "window", "shirt", "carpet", "boat")},
        (
            "The {person} washes the {thing} with water.",
            "A {person} is washing a {thing} with cold water.",
            "The {person} fetches water to wash the {thing}.",
            "With a bucket of water the {person} washes the {thing}.",
        ),
    ),
    Scene(
        ("bird", "fly", "place"),
        {"bird": ("bird", "gull", "crow", "eagle", "goose"), "place": ("lake", "field", "city", "sea", "roof", "hill")},
        (
            "A {bird} flies over the {place}.",
            "The {bird} is flying high above the {place}.",
            "We watched a {bird} fly over the {place}.",
            "In the morning a {bird} flies across the {place}.",
        ),
    ),
    Scene(
        ("person", "boat", "fish", "lake"),
        {"person": _PERSON},
        (
            "A {person} sits in a boat on the lake to catch fish.",
            "The {person} catches a fish from a boat on the lake.",
            "On the lake a {person} in a boat looks at the fish.",
        ),
    ),
    Scene(
        ("person", "wear", "clothes", "walk", "place"),
        {
            "person": _PERSON,
            "clothes": ("hat", "coat", "scarf", "dress", "jacket"),
            "place": ("street", "park", "beach", "forest"),
        },
        (
            "The {person} wears a {clothes} and walks through the {place}.",
            "A {person} wearing a red {clothes} is walking in the {place}.",
            "A {person} walks along the {place}, wearing a new {clothes}.",
            "In the {place} a {person} walks by and wears a long {clothes}.",
        ),
    ),
    Scene(
        ("person", "picture", "paint", "wall"),
        {"person": _PERSON},
        (
            "The {person} paints a picture on the wall.",
            "A {person} is painting a large picture on a white wall.",
            "On the wall is a picture that the {person} painted.",
        ),
    ),
    Scene(
        ("person", "snow", "slide", "hill"),
        {"person": _PERSON},
        (
            "The {person} slides down the hill in the snow.",
            "A {person} is sliding down a hill covered in snow.",
            "There is snow on the hill and the {person} slides down it.",
        ),
    ),
    Scene(
        ("crowd", "watch", "team", "field"),
        {"crowd": ("crowd", "family", "class", "coach"), "team": ("team", "player", "band", "runner")},
        (
            "The {crowd} watches the {team} on the field.",
            "A {crowd} is watching the {team} from the edge of the field.",
            "On the green field the {team} is watched by a {crowd}.",
        ),
    ),
    Scene(
        ("person", "open", "thing", "find", "inside"),
        {"person": _PERSON, "thing": ("box", "door", "bag", "drawer"), "inside": ("key", "coin", "ring", "map")},
        (
            "The {person} opens the {thing} and finds a {inside}.",
            "A {person} opened an old {thing} and found a {inside} in it.",
            "The {person} hopes to find a {inside} when opening the {thing}.",
            "After the {thing} was opened the {person} found the lost {inside}.",
        ),
    ),
    Scene(
        ("person", "cut", "food", "knife"),
        {"person": _PERSON, "food": ("bread", "cheese", "onion", "carrot", "cake", "apple", "melon")},
        (
            "The {person} cuts the {food} with a knife.",
            "A {person} is cutting the {food} with a sharp knife.",
            "With a long knife the {person} cuts the {food} in half.",
            "The {person} takes a knife to cut the {food}.",
        ),
    ),
)
