"""Invented people, towns and titles that several generators share."""

from __future__ import annotations

WOMEN = (
    "Anna", "Clara", "Emma", "Helen", "Ines", "Julia", "Laura", "Maria", "Nora", "Rosa", "Sarah", "Vera",
)  # fmt: skip
MEN = (
    "Adam", "David", "Felix", "Henry", "Jonas", "Karl", "Leo", "Martin", "Oscar", "Peter", "Simon", "Tom",
)  # fmt: skip
SURNAMES = (
    "Archer", "Barlow", "Castell", "Dorn", "Ellery", "Falk", "Grant", "Hale", "Irving", "Jansen", "Keller", "Lind",
    "Marsh", "Novak", "Orr", "Pike", "Quint", "Reed", "Stone", "Torres", "Vance", "Weaver",
)  # fmt: skip
TOWNS = (
    "Ashford", "Brindle", "Carrow", "Dunmore", "Eastby", "Fenwick", "Glenhaven", "Harrow Bay", "Kingsmoor", "Larkhill",
    "Marlow Green", "Northgate", "Oakridge", "Port Ellen", "Redbrook", "Stanwick", "Thornley", "Westcliff",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
