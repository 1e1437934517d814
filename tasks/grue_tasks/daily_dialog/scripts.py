"""Everyday conversations, turn by turn, with words and wordings to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

INFORM, QUESTION, DIRECTIVE, COMMISSIVE = 1, 2, 3, 4
NONE, ANGER, DISGUST, FEAR, HAPPINESS, SADNESS, SURPRISE = range(7)


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's turn: an act, an emotion, and wordings of the same thing."""

    act: int
    emotion: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation of two; the first six turns make sense on their own."""

    slots: Mapping[str, tuple[str, ...]]
    turns: tuple[Turn, ...]


_NAMES = ("Anna", "Tom", "Nora", "Leo", "Maria", "Felix", "Julia", "Oscar")
_DAYS = ("Monday", "Tuesday", "Friday", "Saturday", "Sunday")
_HOURS = ("six", "seven", "eight", "nine")

SCRIPTS = (
    Script(
        {"dish": ("soup", "salad", "steak", "pasta", "fish"), "drink": ("water", "juice", "tea", "red wine")},
        (
            Turn(QUESTION, NONE, ("Good evening . Are you ready to order ?", "Good evening , may I take your order ?")),
            Turn(INFORM, NONE, ("Yes , I would like the {dish} , please .", "Yes . I ’ ll have the {dish} .")),
            Turn(QUESTION, NONE, ("Certainly . And what would you like to drink ?", "Of course . Anything to drink ?")),
            Turn(DIRECTIVE, NONE, ("Just some {drink} , please .", "Bring me some {drink} , please .")),
            Turn(
                QUESTION,
                NONE,
                ("All right . Would you like some bread with the {dish} ?", "Fine . Do you want bread with that ?"),
            ),
            Turn(INFORM, HAPPINESS, ("Yes , that would be lovely .", "Oh yes , bread would be great .")),
            Turn(
                COMMISSIVE,
                NONE,
                ("I ’ ll be back with your {drink} in a minute .", "Your {drink} will be here in a minute ."),
            ),
            Turn(INFORM, HAPPINESS, ("Thank you very much .", "Thanks a lot .")),
        ),
    ),
    Script(
        {
            "place": ("station", "museum", "post office", "hospital", "library"),
            "landmark": ("church", "bridge", "bank", "park"),
            "minutes": ("five", "ten", "fifteen"),
        },
        (
            Turn(
                QUESTION,
                NONE,
                (
                    "Excuse me , how do I get to the {place} ?",
                    "Excuse me . Could you tell me the way to the {place} ?",
                ),
            ),
            Turn(
                DIRECTIVE,
                NONE,
                ("Go straight on and turn left at the {landmark} .", "Walk down this street to the {landmark} ."),
            ),
            Turn(QUESTION, NONE, ("How far is it from here ?", "How far is it ?")),
            Turn(INFORM, NONE, ("About {minutes} minutes on foot .", "It is only {minutes} minutes from here .")),
            Turn(
                QUESTION, NONE, ("Can I take a bus to the {place} ?", "Is there a bus that stops at the {landmark} ?")
            ),
            Turn(
                INFORM,
                NONE,
                (
                    "Yes , there is a bus every {minutes} minutes .",
                    "There is one , but it takes {minutes} minutes , too .",
                ),
            ),
            Turn(COMMISSIVE, HAPPINESS, ("Then I will walk . Thank you !", "I ’ ll walk , then . Thanks a lot .")),
            Turn(INFORM, HAPPINESS, ("You ’ re welcome .", "No problem . Have a nice day !")),
        ),
    ),
    Script(
        {
            "film": ("The Last Train", "Summer of Foxes", "Night Harbour", "The Clockmaker"),
            "day": _DAYS,
            "hour": _HOURS,
            "name": _NAMES,
        },
        (
            Turn(
                QUESTION,
                NONE,
                ("Hi , {name} . What are you doing on {day} ?", "{name} , are you free on {day} evening ?"),
            ),
            Turn(INFORM, NONE, ("Nothing special . Why ?", "I have no plans yet . Why do you ask ?")),
            Turn(
                DIRECTIVE,
                HAPPINESS,
                ("Let ’ s go and see {film} .", "There is a new film , {film} . Come with me !"),
            ),
            Turn(QUESTION, HAPPINESS, ("Great idea ! When does it start ?", "I ’ d love to . What time is it on ?")),
            Turn(INFORM, NONE, ("It starts at {hour} o ’ clock .", "The film begins at {hour} .")),
            Turn(
                COMMISSIVE,
                NONE,
                ("Good . I ’ ll meet you in front of the cinema .", "Then I will be there before {hour} ."),
            ),
            Turn(DIRECTIVE, NONE, ("Please don ’ t be late , {name} .", "And don ’ t forget the tickets .")),
            Turn(COMMISSIVE, HAPPINESS, ("I won ’ t , I promise .", "Don ’ t worry , I won ’ t .")),
        ),
    ),
    Script(
        {"pain": ("headache", "sore throat", "fever", "bad cough"), "days": ("two", "three", "four")},
        (
            Turn(QUESTION, NONE, ("Good morning . What seems to be the problem ?", "Hello . What can I do for you ?")),
            Turn(INFORM, SADNESS, ("I have a {pain} , doctor .", "I feel terrible . I have a {pain} .")),
            Turn(QUESTION, NONE, ("How long have you had it ?", "When did the {pain} start ?")),
            Turn(INFORM, SADNESS, ("For {days} days now .", "It started {days} days ago .")),
            Turn(DIRECTIVE, NONE, ("Open your mouth , please , and say ah .", "Let me have a look at you .")),
            Turn(QUESTION, FEAR, ("Is it something serious ?", "Do you think it is serious , doctor ?")),
            Turn(
                INFORM,
                NONE,
                ("No , it ’ s only a cold . Don ’ t worry .", "Not at all . You will be well in {days} days ."),
            ),
            Turn(QUESTION, NONE, ("Do I have to stay in bed ?", "Can I go to work with a {pain} ?")),
            Turn(
                DIRECTIVE,
                NONE,
                ("Stay at home for {days} days and drink a lot of tea .", "You should rest for {days} days ."),
            ),
        ),
    ),
    Script(
        {
            "thing": ("jacket", "sweater", "coat", "shirt", "dress"),
            "colour": ("blue", "green", "black", "red"),
            "price": ("30", "45", "60", "80"),
        },
        (
            Turn(QUESTION, NONE, ("Hello , can I help you ?", "Good afternoon . Are you looking for something ?")),
            Turn(
                INFORM,
                NONE,
                ("I ’ m looking for a {colour} {thing} .", "Yes , I need a new {thing} , a {colour} one ."),
            ),
            Turn(QUESTION, NONE, ("What size do you take ?", "Which size do you need ?")),
            Turn(INFORM, NONE, ("Medium , I think .", "I usually take a medium .")),
            Turn(
                DIRECTIVE,
                NONE,
                ("Here is a {colour} {thing} . Try it on .", "Try this {thing} . The mirror is over there ."),
            ),
            Turn(
                QUESTION,
                HAPPINESS,
                ("It fits very well ! How much is it ?", "I like this {thing} . What does it cost ?"),
            ),
            Turn(INFORM, NONE, ("It ’ s {price} dollars .", "The {thing} is {price} dollars .")),
            Turn(
                QUESTION, SURPRISE, ("{price} dollars ? Isn ’ t that too much ?", "So much ? Can you make it cheaper ?")
            ),
            Turn(INFORM, NONE, ("I ’ m sorry , the price is fixed .", "Sorry , but it is already on sale .")),
            Turn(COMMISSIVE, NONE, ("All right , I ’ ll take it .", "Well , I will take it anyway .")),
        ),
    ),
    Script(
        {
            "name": _NAMES,
            "thing": ("wallet", "phone", "key", "umbrella", "bag"),
            "place": ("bus", "office", "taxi", "café"),
        },
        (
            Turn(QUESTION, NONE, ("What ’ s wrong , {name} ? You look upset .", "{name} , is something the matter ?")),
            Turn(INFORM, SADNESS, ("I can ’ t find my {thing} .", "I have lost my {thing} again .")),
            Turn(QUESTION, SURPRISE, ("Oh no ! Where did you see it last ?", "Really ? Where did you leave it ?")),
            Turn(INFORM, SADNESS, ("I think I left it in the {place} .", "I had it in the {place} this morning .")),
            Turn(DIRECTIVE, NONE, ("Call the {place} and ask about the {thing} .", "Then go back to the {place} .")),
            Turn(
                INFORM,
                ANGER,
                ("I already did , and they have no {thing} !", "I did ! Nobody there has seen my {thing} !"),
            ),
            Turn(COMMISSIVE, NONE, ("Calm down . I will help you look for it .", "Don ’ t worry , I ’ ll help you .")),
            Turn(INFORM, HAPPINESS, ("Thank you , that is very kind of you .", "You are a real friend , thank you .")),
        ),
    ),
    Script(
        {
            "name": _NAMES,
            "city": ("Rome", "Paris", "Lisbon", "Vienna", "Oslo"),
            "sight": ("old town", "museums", "food", "market"),
            "days": ("three", "five", "ten"),
        },
        (
            Turn(
                QUESTION,
                HAPPINESS,
                ("{name} ! How was your trip to {city} ?", "Welcome back , {name} . Did you enjoy {city} ?"),
            ),
            Turn(INFORM, HAPPINESS, ("It was wonderful !", "I loved every minute of it !")),
            Turn(QUESTION, NONE, ("How long did you stay in {city} ?", "How many days were you there ?")),
            Turn(INFORM, NONE, ("We stayed for {days} days .", "Only {days} days , but we saw a lot .")),
            Turn(QUESTION, NONE, ("What did you like best ?", "And what was the best thing about {city} ?")),
            Turn(INFORM, HAPPINESS, ("I liked the {sight} best .", "The {sight} , without any doubt .")),
            Turn(INFORM, NONE, ("I have never been to {city} .", "I have always wanted to go to {city} .")),
            Turn(DIRECTIVE, HAPPINESS, ("You should go there soon !", "Then come with us next year !")),
        ),
    ),
    Script(
        {"pet": ("dog", "cat", "parrot", "rabbit"), "sound": ("music", "noise", "barking", "party"), "hour": _HOURS},
        (
            Turn(QUESTION, ANGER, ("Do you know what time it is ?", "Can you hear that {sound} ?")),
            Turn(QUESTION, SURPRISE, ("No . Is something wrong ?", "What do you mean ?")),
            Turn(INFORM, ANGER, ("I can ’ t sleep because of the {sound} !", "The {sound} is much too loud !")),
            Turn(INFORM, SADNESS, ("Oh , I ’ m very sorry .", "I am so sorry , I did not notice .")),
            Turn(
                DIRECTIVE, ANGER, ("Please be quiet now . I get up at {hour} .", "I have to work at {hour} . Stop it !")
            ),
            Turn(COMMISSIVE, NONE, ("It won ’ t happen again .", "I promise it will be quiet from now on .")),
            Turn(QUESTION, NONE, ("And why is there a {pet} in my kitchen ?", "By the way , is this your {pet} ?")),
            Turn(INFORM, SURPRISE, ("My {pet} ! I have looked for it all day !", "Oh ! Yes , that is my {pet} !")),
        ),
    ),
)
