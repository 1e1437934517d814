"""Pages with a table: films of an actor, results of an election, seasons of a club, stations, medals."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from grue_tasks._writing.names import MEN, SURNAMES, TOWNS, WOMEN

Cell: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page, its table, the highlighted cells, and sentences that say what these hold."""

    page: str
    section: str
    text: str
    table: list[list[Cell]]
    highlighted: list[list[int]]
    sentences: list[str]


def _cell(value: str, *, header: bool = False, columns: int = 1, rows: int = 1) -> Cell:
    return {"value": value, "is_header": header, "column_span": columns, "row_span": rows}


def _header(*values: str) -> list[Cell]:
    return [_cell(value, header=True) for value in values]


def _person(rng: random.Random) -> str:
    return f"{rng.choice(WOMEN + MEN)} {rng.choice(SURNAMES)}"


_FILMS = (
    "Silver Creek",
    "The Tenant",
    "Open Water Road",
    "Maple Street",
    "A Quiet Town",
    "Harvest",
    "The Envoy",
    "Blue Lamps",
)
_ROLES = ("Doctor Hill", "Martha", "The Stranger", "Captain Lowe", "Lena", "Sergeant Cole", "Mrs. Finch", "Himself")
_NOTES = ("", "", "TV film", "Short film", "Lead role")


def _filmography(rng: random.Random) -> Drawn:
    actor = _person(rng)
    years = sorted(rng.sample(range(1988, 2021), 2))
    films, roles = rng.sample(_FILMS, 2), rng.sample(_ROLES, 2)
    table = [_header("Year", "Title", "Role", "Notes")]
    table += [
        [_cell(str(year)), _cell(film), _cell(role), _cell(rng.choice(_NOTES))]
        for year, film, role in zip(years, films, roles, strict=True)
    ]
    at = rng.randrange(2)
    year, film, role = years[at], films[at], roles[at]
    return Drawn(
        actor,
        "Filmography",
        "",
        table,
        [[at + 1, 0], [at + 1, 1], [at + 1, 2]],
        [
            f"In {year}, {actor} played {role} in {film}.",
            f"{actor} had the role of {role} in the {year} film {film}.",
            f"{actor} appeared as {role} in {film} ({year}).",
        ],
    )


_PARTIES = ("Green Alliance", "Liberal Union", "Workers' Party", "Civic List", "Farmers' League")


def _election(rng: random.Random) -> Drawn:
    town, year = rng.choice(TOWNS), rng.randrange(1979, 2023)
    people = [_person(rng) for _ in range(2)]
    parties = rng.sample(_PARTIES, 2)
    votes = sorted((rng.randrange(1200, 9800) for _ in range(2)), reverse=True)
    total = sum(votes)
    table = [
        [_cell(f"{town} council election, {year}", header=True, columns=3)],
        _header("Party", "Candidate", "Votes"),
    ]
    table += [
        [_cell(party), _cell(person), _cell(f"{count:,}")]
        for party, person, count in zip(parties, people, votes, strict=True)
    ]
    table.append([_cell("Turnout", header=True, columns=2), _cell(f"{total:,}")])
    winner, party, count = people[0], parties[0], f"{votes[0]:,}"
    return Drawn(
        f"{year} {town} council election",
        "Results",
        "",
        table,
        [[2, 0], [2, 1], [2, 2]],
        [
            f"{winner} of the {party} won the election with {count} votes.",
            f"The {party} candidate {winner} received {count} votes.",
            f"In {year}, {winner} ({party}) won in {town} with {count} votes.",
        ],
    )


_PLACES = ("1st", "2nd", "3rd", "4th", "5th", "7th", "9th", "12th")
_CUPS = ("", "Final", "Semi-final", "Round 2", "Round 3", "Winner")


def _club(rng: random.Random) -> Drawn:
    club = rng.choice(TOWNS) + rng.choice((" Rovers", " United", " Town", " Athletic"))
    first = rng.randrange(1994, 2018)
    division = rng.choice(("First Division", "Northern League", "Premier League"))
    table = [_header("Season", "League", "Place", "Points", "Cup")]
    lines = []
    for step in range(2):
        season = f"{first + step}–{(first + step + 1) % 100:02d}"
        place, points, cup = rng.choice(_PLACES), str(rng.randrange(28, 92)), rng.choice(_CUPS)
        lines.append((season, place, points))
        row = [_cell(season, header=True)]
        # The league stands once, beside all the seasons that it was played in.
        row += [_cell(division, rows=2)] if step == 0 else []
        table.append([*row, _cell(place), _cell(points), _cell(cup)])
    at = rng.randrange(2)
    season, place, points = lines[at]
    offset = 2 if at == 0 else 1
    return Drawn(
        f"{club} F.C.",
        "Recent seasons",
        f"{club} play their home games in the old stadium." if rng.random() < 0.5 else "",
        table,
        [[at + 1, offset], [at + 1, offset + 1]],
        [
            f"In the {season} season, {club} finished {place} with {points} points.",
            f"{club} came {place} in {season} with {points} points.",
            f"{club} finished the {season} season in {place} place, with {points} points.",
        ],
    )


_LINES = ("Coast Line", "Valley Line", "Harbour Line", "Hill Line")


def _stations(rng: random.Random) -> Drawn:
    line = rng.choice(_LINES)
    towns = rng.sample(TOWNS, 2)
    table = [_header("Station", "Opened", "Platforms", "Passengers a day")]
    lines = []
    for town in towns:
        opened, platforms = str(rng.randrange(1862, 1990)), str(rng.randrange(2, 7))
        passengers = rng.choice(("", f"{rng.randrange(200, 9900, 50):,}"))
        lines.append((town, opened, platforms))
        table.append([_cell(town, header=True), _cell(opened), _cell(platforms), _cell(passengers)])
    at = rng.randrange(2)
    town, opened, platforms = lines[at]
    return Drawn(
        line,
        "Stations",
        "",
        table,
        [[at + 1, 0], [at + 1, 1], [at + 1, 2]],
        [
            f"{town} station on the {line} opened in {opened} and has {platforms} platforms.",
            f"{town} was opened in {opened} and has {platforms} platforms.",
            f"The station of {town}, opened in {opened}, has {platforms} platforms.",
        ],
    )


_SPORTS = ("100 metres", "Long jump", "Javelin", "800 metres", "High jump")


def _medals(rng: random.Random) -> Drawn:
    town, year = rng.choice(TOWNS), rng.randrange(1981, 2022)
    sports = rng.sample(_SPORTS, 2)
    table = [_header("Event", "Gold", "Silver", "Bronze")]
    winners = []
    for sport in sports:
        gold, silver, bronze = (_person(rng) for _ in range(3))
        winners.append((sport, gold, silver))
        table.append([_cell(sport, header=True), _cell(gold), _cell(silver), _cell(rng.choice((bronze, "")))])
    at = rng.randrange(2)
    sport, gold, silver = winners[at]
    both = rng.random() < 0.5
    sentences = [
        f"{gold} won gold in the {sport.lower()}.",
        f"The gold medal in the {sport.lower()} went to {gold}.",
        f"In the {sport.lower()}, {gold} took gold.",
    ]
    if both:
        sentences = [
            f"{gold} won gold in the {sport.lower()} and {silver} won silver.",
            f"In the {sport.lower()}, {gold} took gold and {silver} took silver.",
            f"The {sport.lower()} was won by {gold}, with {silver} in second place.",
        ]
    return Drawn(
        f"{year} {town} Games",
        "Medals",
        "",
        table,
        [[at + 1, 1], [at + 1, 2]] if both else [[at + 1, 1]],
        sentences,
    )


PageMaker: TypeAlias = Callable[[random.Random], Drawn]

# Tables of the second kind never occur in the train split: their headers make the non-overlap subset.
SEEN: tuple[PageMaker, ...] = (_filmography, _election, _club, _stations)
UNSEEN: tuple[PageMaker, ...] = (_medals,)
