"""Irregular English forms, adjectives that take -er and -est, and words that stand for themselves."""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Verb, past, participle; forms that are equal stand once, several of one kind are joined by a stroke.
_VERBS = """
arise arose arisen|abide abode|behold beheld|broadcast broadcast|clothe clad|forecast forecast
foresee foresaw foreseen|foretell foretold|mislead misled|mistake mistook mistaken|misunderstand misunderstood
outdo outdid outdone|outgrow outgrew outgrown|outrun outran|overdo overdid overdone|overeat overate overeaten
overhang overhung|overhear overheard|oversee oversaw overseen|oversleep overslept|overtake overtook overtaken
overthrow overthrew overthrown|prove proven|rebuild rebuilt|redo redid redone|remake remade|repay repaid|reset reset
resell resold|rethink rethought|retell retold|rewind rewound|rewrite rewrote rewritten|saw sawn|slay slew slain
strew strewn|tread trod trodden|unbind unbound|undergo underwent/undergoes undergone|undertake undertook undertaken
unwind unwound|uphold upheld|withhold withheld|withstand withstood|forego forewent foregone|knit knit|rid rid
awake awoke awoken|be am/is/are/was/were/been/being/'m/'re/'s|bear bore born/borne|beat beaten|become became
begin began begun|bend bent|bet bet|bid bade bidden|bind bound|bite bit bitten|bleed bled|blow blew blown
break broke broken|breed bred|bring brought|build built|burn burnt|burst burst|buy bought|catch caught
choose chose chosen|cling clung|come came|cost cost|creep crept|cut cut|deal dealt|dig dug|dive dove
do did/does done|draw drew drawn|dream dreamt|drink drank drunk|drive drove driven|dwell dwelt|eat ate eaten
fall fell fallen|feed fed|feel felt|fight fought|find found|flee fled|fling flung|fly flew/flies flown
forbid forbade forbidden|forget forgot forgotten|forgive forgave forgiven|freeze froze frozen|get got gotten
give gave given|go went/goes gone|grind ground|grow grew grown|hang hung|have has/had/'ve/'d|hear heard
hide hid hidden|hit hit|hold held|hurt hurt|keep kept|kneel knelt|know knew known|lay laid|lead led|lean leant
leap leapt|learn learnt|leave left|lend lent|let let|lie lay lain/lying|light lit|lose lost|make made|mean meant
meet met|mow mown|overcome overcame|pay paid|put put|quit quit|read read|ride rode ridden|ring rang rung
rise rose risen|run ran|say said|see saw seen|seek sought|sell sold|send sent|set set|sew sewn|shake shook shaken
shave shaven|shear shorn|shed shed|shine shone|shoot shot|show shown|shrink shrank shrunk|shut shut|sing sang sung
sink sank sunk|sit sat|sleep slept|slide slid|sling slung|slit slit|smell smelt|sow sown|speak spoke spoken
speed sped|spell spelt|spend spent|spill spilt|spin spun|spit spat|split split|spread spread|spring sprang sprung
stand stood|steal stole stolen|stick stuck|sting stung|stink stank stunk|stride strode stridden
strike struck stricken|string strung|strive strove striven|swear swore sworn|sweep swept|swell swollen
swim swam swum|swing swung|take took taken|teach taught|tear tore torn|tell told|think thought|throw threw thrown
thrust thrust|understand understood|undo undid undone|wake woke woken|wear wore worn|weave wove woven|weep wept
wet wet|win won|wind wound|withdraw withdrew withdrawn|wring wrung|write wrote written|tie tying|die dying
dye dyeing|ski skiing/skied|can ca/could|will wo/'ll/would|shall sha|may might|not n't
"""
_NOUNS = """
calf calves|child children|die dice|dwarf dwarves|elf elves|foot feet|goose geese|half halves|hoof hooves
knife knives|leaf leaves|life lives|loaf loaves|louse lice|man men|mouse mice|ox oxen|person people|scarf scarves
self selves|sheaf sheaves|shelf shelves|thief thieves|tooth teeth|wharf wharves|wife wives|wolf wolves|woman women
cactus cacti|fungus fungi|nucleus nuclei|stimulus stimuli|alumnus alumni|analysis analyses|axis axes|basis bases
crisis crises|oasis oases|thesis theses|criterion criteria|phenomenon phenomena|bacterium bacteria|medium media
datum data|index indices|matrix matrices|appendix appendices|vertex vertices|fireman firemen|policeman policemen
fisherman fishermen|snowman snowmen|gentleman gentlemen|businessman businessmen|cowboy cowboys|bus buses/busses
gas gases|lens lenses|iris irises|tennis|photo photos|quiz quizzes|bison|sheep|deer|fish fishes|grandchild grandchildren
salesman salesmen|workman workmen|horseman horsemen|batsman batsmen|cameraman cameramen|sportsman sportsmen
craftsman craftsmen|chairman chairmen|spokesman spokesmen|freshman freshmen|policewoman policewomen
"""
_OTHERS = """
good better/best|well better/best|bad worse/worst|far farther/farthest/further/furthest|little less/least|much more/most
many more/most|old elder/eldest|a an|they them|i me|he him|she her|we us|who whom
"""
ADJECTIVES = _words(
    """
    big black blue bold brave brief bright broad busy calm cheap clean clear clever close cold cool crazy cute damp dark
    deep dense dirty dry dull dumb early easy empty fair fancy fast fat few fierce fine firm fit flat fresh friendly
    full funny gentle grand great green gross happy hard harsh healthy heavy high hot huge hungry juicy kind large late
    lazy light little lively lonely long loose loud lovely low lucky mad mean merry messy mild narrow nasty near neat
    new nice noisy odd old pale plain poor pretty proud pure quick quiet rare raw rich ripe rough round rude sad safe
    salty scary shallow sharp shiny short shy sick silly simple slim slow small smart smooth soft soon sore sour steep
    stiff strange strict strong sunny sure sweet tall tan tasty thick thin tidy tight tiny tough true ugly warm weak
    wealthy weird wet white wide wild windy wise young
    """
)
THEMSELVES = _words(
    """
    anything awning being bring ceiling clothing cunning darling duckling during earring evening
    everything farthing good herring king lightning morning nothing offspring outing pudding ring sibling
    sing sling something spring sterling sting string swing thing this thus underling viking wedding wing
    always bed bus christmas gas his hundred indeed kindred lens naked news perhaps plus red sacred series
    speed species tennis was yes
    """
)
"""Words whose ending is none, or no longer felt as one."""


def _table(*texts: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in (entry for text in texts for line in text.split("\n") for entry in line.split("|")):
        lemma, *forms = entry.split() or [""]
        for form in (form for joined in forms for form in joined.split("/")):
            found[form] = (*found.get(form, ()), lemma)
    return found


IRREGULAR = _table(_VERBS, _NOUNS, _OTHERS)
"""Form -> its lemmas."""
