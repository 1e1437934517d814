"""Sentences of film reviews, by sentiment and by what they speak about."""

from __future__ import annotations

from typing import TypeAlias

Pool: TypeAlias = tuple[str, ...]

TITLES = (
    "The Long Harbour", "Winter Wheat", "A Key for Clara", "Midnight at the Mill", "The Glass Orchard",
    "Sons of Redbrook", "Paper Lanterns", "The Ninth Witness", "Under the Viaduct", "Salt and Thunder",
    "Goodbye, Mr. Pike", "The Beekeeper's War", "Last Bus to Carrow", "Two Doors Down", "The Silent Ferry",
    "Moonlight Motel", "Captain of Nothing", "Dust on the Piano",
)  # fmt: skip
KINDS = ("thriller", "comedy", "drama", "western", "horror film", "romance", "war film", "mystery")
HEROES = ("detective", "widow", "schoolteacher", "soldier", "pianist", "young doctor", "retired boxer", "shy clerk")
PLACES = ("fishing village", "mountain hotel", "mining town", "boarding school", "lonely farm", "border town")

OPENINGS: dict[int, Pool] = {
    1: (
        "I saw {title} last night and I loved it.",
        "What a wonderful surprise {title} turned out to be!",
        "{title} is one of the best films I have seen in years.",
        "I did not expect much from another {kind}, but {title} is simply great.",
        "If you only watch one {kind} this year, make it {title}.",
    ),
    0: (
        "I saw {title} last night and I hated it.",
        "What a terrible disappointment {title} turned out to be!",
        "{title} is one of the worst films I have seen in years.",
        "I did not expect much from another {kind}, and {title} is even worse than I feared.",
        "If you only avoid one {kind} this year, make it {title}.",
    ),
}
STORY: Pool = (
    "It is the story of a {hero} who comes to a {place} and finds out that nothing there is what it seems.",
    "The plot follows a {hero}, played by {actor}, who has to spend one winter in a {place}.",
    "{actor} plays a {hero} who returns to a {place} after twenty years.",
    "The film is set in a {place}, where a {hero} gets a letter that was written thirty years ago.",
)
ASPECTS: dict[int, tuple[Pool, ...]] = {
    1: (
        (
            "{actor} gives a brilliant performance and makes you care about every word.",
            "The acting is superb, and {actor} has never been better.",
            "{actor} and {second} are perfect together, warm and funny in every scene.",
        ),
        (
            "The script is clever, full of lovely little details that pay off later.",
            "The dialogue is sharp and witty, and I laughed out loud more than once.",
            "The writing is excellent; every character feels like a real person.",
        ),
        (
            "The camera work is beautiful, and each shot of the {place} could hang on a wall.",
            "It looks gorgeous from the first frame to the last.",
            "Director {director} shows great skill and finds beauty in the smallest things.",
        ),
        (
            "The music is wonderful and stays with you long after the film is over.",
            "I was delighted by the score, which is gentle and moving.",
            "A lovely soundtrack makes the best scenes even better.",
        ),
        (
            "It runs for {minutes} minutes and I enjoyed every one of them.",
            "The {minutes} minutes flew by, and I was never bored.",
            "The story is exciting and perfectly paced, with a great twist in the middle.",
        ),
        (
            "The ending moved me to tears, and it is a perfect finish to a fine film.",
            "The final scene is unforgettable and deeply satisfying.",
            "When the lights came on, the whole audience was smiling and some people clapped.",
        ),
    ),
    0: (
        (
            "{actor} gives a wooden performance and seems to be asleep most of the time.",
            "The acting is dreadful, and {actor} has never been worse.",
            "{actor} and {second} have no chemistry at all, and every scene with them is painful.",
        ),
        (
            "The script is stupid, full of holes that nobody bothered to fix.",
            "The dialogue is so bad that I laughed in all the wrong places.",
            "The writing is lazy; not one character feels like a real person.",
        ),
        (
            "The camera work is ugly, and the {place} looks like cheap cardboard.",
            "It looks cheap and dull from the first frame to the last.",
            "Director {director} has no idea what to do with the story and wastes every chance.",
        ),
        (
            "The music is annoying and far too loud.",
            "I was irritated by the score, which is dull and repetitive.",
            "A horrible soundtrack makes the worst scenes even worse.",
        ),
        (
            "It runs for {minutes} minutes and I regretted every one of them.",
            "The {minutes} minutes felt like a week, and I was bored to death.",
            "The story is boring and badly paced, with a ridiculous twist in the middle.",
        ),
        (
            "The ending is a bad joke, and it ruins what little was left of the film.",
            "The final scene makes no sense and is simply embarrassing.",
            "When the lights came on, half of the audience had left and the rest looked angry.",
        ),
    ),
}
CLOSINGS: dict[int, Pool] = {
    1: (
        "I highly recommend {title} to everyone. {stars_good} out of 10.",
        "A wonderful film, and I will gladly watch it again.",
        "Do yourself a favour and see this great {kind} soon!",
        "All in all, {title} is a small masterpiece that deserves a big audience.",
        'My wife called it "a perfect evening", and I agree.',
    ),
    0: (
        "I cannot recommend {title} to anyone. {stars_bad} out of 10.",
        "An awful film, and I will never watch it again.",
        "Do yourself a favour and avoid this terrible {kind}!",
        "All in all, {title} is a complete mess and a waste of money.",
        'My wife called it "a wasted evening", and I agree.',
    ),
}
