"""Kinds of tokens of the PTB tokeniser, as patterns; where several match, the longest wins.

What a pattern reads beyond its first group is context: it counts in the comparison of lengths and is read again as
the next token, as in the lexer whose output this reproduces.
"""

from __future__ import annotations

import re

from grue.metrics.text.ptb_chars import DIGITS, LETTERS, MARKS, SYMBOLS
from grue.metrics.text.ptb_words import FILE_ENDINGS, SENTENCE_STARTERS

_LETTER = f"A-Za-z{LETTERS}"
_DIGIT = f"0-9{DIGITS}"
_ALNUM = f"[{_LETTER}{_DIGIT}]"
_IN_FILE = f"[{_LETTER}{_DIGIT}{MARKS}\\u00ad]"
_ENTITY = "(?i:&[aeiou](?:acute|grave|uml);)"
_HEAD = f"(?:[{_LETTER}{MARKS}\\u00ad]|{_ENTITY})"
_TAIL = f"(?:[{_LETTER}{MARKS}{_DIGIT}\\u00ad]++|{_ENTITY})*+"
# Apostrophes that contractions take, and the wider set inside names such as O'Neill.
_APOSTROPHE = "(?:['\\u0092\\u2019]|(?i:&apos;))"
_TICK = "(?:['`\\u0091\\u0092\\u2018\\u2019\\u201b]|(?i:&apos;))"
_PIECE = f"(?:[dDoOlL]{_TICK}{_ALNUM})?{_ALNUM}+"
_INITIALS = "[A-Za-z](?:\\.[A-Za-z])*"
_D = f"[{_DIGIT}]"
_GAP = "[ \\t\\u00a0\\u2000-\\u200a\\u3000]"
_NOT_IN_SITE = ' \\t\\n\\f\\r"<>|.!?(){}'
_PATH = '(?:/[^ \\t\\n\\f\\r"<>|()]+[^ \\t\\n\\f\\r"<>|.!?(){},-])?'
_NOT_IN_MAIL = ' \\t\\n\\f\\r"<>|()\\u00a0{}'
_SHORT = "(?:[msd]|re|ve|ll)"

WORD = re.compile(f"({_HEAD}{_TAIL}(?:[.!?]{_HEAD}{_TAIL})*)")
NOT = re.compile(f"([nN]{_TICK}[tT])")
SYMBOL = re.compile(
    f"[!-~\\u0080\\u0091-\\u0094\\u0096\\u0097\\u00a2-\\u00a4\\u00ab\\u00bb-\\u00be\\u2013-\\u2015"
    f"\\u2018\\u2019\\u201b-\\u201d\\u2026\\u2039\\u203a\\u20a0\\u20ac\\u2153\\u2154{SYMBOLS}]"
)
DIGIT = re.compile(_D)
NUMBER_AFTER = re.compile("[ \\u00a0\\u2000-\\u200a\\u3000]?[0-9]")
PREFIX = re.compile("((?i:pro|anti)-)")
THING = re.compile(f"({_PIECE}(?:[-_\\u058a\\u2010\\u2011]{_PIECE})*)")
COMPOUND = re.compile("([A-Za-z0-9][A-Za-z0-9.,\\u00ad]*(?:-(?:[A-Za-z](?:\\.[A-Za-z])+\\.|[A-Za-z0-9\\u00ad]+))+)")
SLASHED = re.compile("([A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2})")
JOINED = re.compile("([A-Z]+(?:(?:(?i:&amp;)|[+&])[A-Z]+)+)")
ELIDED = re.compile(
    f"([A-HJ-XZn]{_TICK}[{_LETTER}]{{2,}}|[lLdDjJ]{_APOSTROPHE}|[{_LETTER}]+[aeiouyAEIOUY]{_TICK}[aeiouA-Z][{_LETTER}]*"
    f"|[yY]{_APOSTROPHE}(?=[{_LETTER}])|(?i:e'er|c{_APOSTROPHE}est|c'mon|cap{_APOSTROPHE}n|ev'ry|s'mores|li'l|nor'easter|o{_TICK}clock|d{_TICK}ye"
    f"|dunkin{_APOSTROPHE}|somethin{_APOSTROPHE}|ol{_APOSTROPHE}))"
)
INITIALS = re.compile(
    f"((?:(?:Canada|Sino|Korean|EU|Japan|non)-U\\.S|U\\.S\\.-(?:U\\.K|U\\.S\\.S\\.R)|{_INITIALS})\\.)"
)
STARTER = re.compile(f"{_GAP}+(?=[A-Z])(?i:{SENTENCE_STARTERS})(?:{_GAP}|$)")
PLUS = re.compile("([CcFf]#|[Cc]\\+\\+)")
FILE_NAME = re.compile(f"({_IN_FILE}+(?:\\.{_IN_FILE}+)*\\.(?i:{FILE_ENDINGS}))(?:{_GAP}|[.?!,]|$)")
DOLLARS = re.compile("([A-Z]*\\$|#)")
NUMBER = re.compile(f"([-+\\u00ad]?(?:{_D}*(?:[.:,\\u00ad\\u066b\\u066c]{_D}+)+|{_D}+))")
DATE = re.compile(f"({_D}{{1,2}}[-/]{_D}{{1,2}}[-/]{_D}{{2,4}})")
FRACTION = re.compile(f"((?:{_D}{{1,4}}[- \\u00a0])?{_D}{{1,4}}(?:\\\\?/|\\u2044){_D}{{1,4}})")
PHONE = re.compile(
    "((?:\\([0-9]{2,3}\\)[ \\u00a0]?|(?:\\+\\+?)?(?:[0-9]{2,4}[- \\u00a0])?[0-9]{2,4}[- \\u00a0])"
    "[0-9]{3,4}[- \\u00a0]?[0-9]{3,5}"
    "|(?:(?:\\+\\+?)?[0-9]{2,4}\\.)?[0-9]{2,4}\\.[0-9]{3,4}\\.[0-9]{3,5})"
)
SHORT_FORM = re.compile(f"((?i:'{_SHORT}(?![a-z])|(?:[\\u0092\\u2019]|&apos;){_SHORT}))")
# A word before it ends there, though "'mx" is then no short form.
SHORT_AFTER = re.compile(f"(?i:{_APOSTROPHE}{_SHORT})")
CLIPPED = re.compile(
    f"({_APOSTROPHE}[2-9]0s|['\\u2019][0-9]{{2}}(?![^ \\t\\u00a0])|(?i:['\\u2019](?:em|till?|cause)"
    "|['\\u2019]n['\\u2019]|\\u2019n|'n(?![^ \\t\\u00a0])))"
)
T_IS = re.compile("('[tT])(?i:is|was)")
URL = re.compile('((?i:https?)://[^ \\t\\n\\f\\r"<>|(){}]+[^ \\t\\n\\f\\r"<>|.!?(){},-])')
WWW = re.compile(f"(www\\.(?:[^{_NOT_IN_SITE},]+\\.)+[a-zA-Z]{{2,4}}{_PATH})")
SITE = re.compile(f"((?:[^{_NOT_IN_SITE}`',-_$]+\\.)+(?i:com|net|org|edu){_PATH})")
MAIL = re.compile(
    f"((?:(?i:&lt;)|<)?[a-zA-Z0-9][^{_NOT_IN_MAIL}]*@(?:[^{_NOT_IN_MAIL}.]+\\.)*[^{_NOT_IN_MAIL}.]+(?:(?i:&gt;)|>)?)"
)
HANDLE = re.compile(f"(@[A-Za-z_][A-Za-z_0-9]*|#{_HEAD}+)")
_NAME = "[A-Za-z][A-Za-z0-9_:.-]*"
_TAG = (
    f"<(?:[!?][A-Za-z-][^>\\r\\n]*|/{_NAME}"
    f"|{_NAME}(?:[ ]+{_NAME}(?:[ ]*=[ ]*(?:'[^'\\r\\n]*'|\"[^\"\\r\\n]*\"))?)*[ ]*/?)[ ]*>"
)
TAG = re.compile(f"({_TAG})")
STARTING_TAG = re.compile(f"{_GAP}+{_TAG}(?:{_GAP}|$)")
BRACKET = re.compile("(-(?i:[lr][rcs]b)-)")
ESCAPED = re.compile("((?:\\\\\\*){1,3})")
MARKUP = re.compile("(?i:(&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+|MD|mdash|ndash|amp|lt|gt|quot|apos|nbsp);))")
SMILEY = re.compile("([<>]?[:;=][-o*']?[()DPdpO\\\\{@|\\[\\]])(?:[^A-Za-z0-9]|$)")
FACE = re.compile("([-\\^x=~<>']_[-\\^x=~<>']|\\([-\\^x=~<>'][_.]?[-\\^x=~<>']\\)|\\([\\^x=~<>']-[\\^x=~<>'`]\\))")
RUN = re.compile(
    "(\\.{3,5}|-+|[!?]+|_+|\\*+|#+|@+|<<|>>|''"
    "|[\\u207a\\u207b\\u208a\\u208b]?(?:[\\u2070\\u00b2\\u00b3\\u00b9\\u2074-\\u2079]+|[\\u2080-\\u2089]+))"
)

QUOTES = "`\u0091-\u0094\u2018-\u201f\u00ab\u00bb\u2039\u203a"
QUOTE_PAIR = re.compile(f"([{QUOTES}]{{2}})")

# Where a search that failed need not be tried again: up to the first character that ends its kind of stretch.
STRETCH_OF_MAIL = re.compile(f"[^{_NOT_IN_MAIL}]*")
_IN_SITE = f"[^{_NOT_IN_SITE}`',-_$]"
STRETCH_OF_SITE = re.compile(f"(?:{_IN_SITE}(?:\\.?{_IN_SITE})*+)?")
STRETCH_OF_FILE = re.compile(f"(?:\\.?{_IN_FILE})*+")
STRETCH_OF_COMPOUND = re.compile("[A-Za-z0-9.,\\u00ad]*")
