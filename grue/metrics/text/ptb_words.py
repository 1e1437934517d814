"""Words that the PTB tokeniser of Stanford CoreNLP 3.4.1 treats in a way of their own."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ABBREVIATIONS = _words(
    """
    adj adm adv al ala alex apr ariz assn assoc asst atty attys aug ave bancorp bhd bldg blvd brig bros calif capt
    cf cie cmdr co col colo comdr conn corp cos cpl ct dak dec dept det dr drs ed.d elec ens esq est etc ext feb fla
    fri ft ga gen gov govs hon inc ind insp intl invt jan jos jr jul jun kan kans ky lieut lt ltd maj mar md messrs
    mfg mich minn mlle mme mo mon mont mr mrs ms msgr mt mtg natl neb nev nov oct okla penn pfc ph ph.d plc ppte
    ppty pres prof profs pte ptes pty ptys pvt rd rep reps rev rt sen sens sep sept seq sfc sgt spc sq sr st ste
    supt supts sys tel tenn thu thurs treas tue tues univ va vs vt wed wis wisc wm wyo
    """
)
"""They keep their full stop, in any case of letters."""

CAPITAL_ABBREVIATIONS = _words(
    """
    ark az del ill la mass miss ore pa tex wash
    """
)
"""They keep it where the first letter is a capital: in small letters they are words."""

BEFORE_NAMES = _words(
    """
    adj adm adv alex assoc asst atty attys ave brig capt cf cie cmdr col comdr cpl dept det dr drs elec ens ft gen
    gov govs hon insp invt jos lieut lt maj messrs mfg mlle mme mr mrs ms msgr mt mtg natl pfc ph pres prof profs
    pvt rep reps rev sen sens sfc sgt spc st ste supt supts treas vs wm
    """
)
"""Those that are part of a longer word where one follows the stop; the others end at it."""

NOT_IN_CAPITALS = _words("mfg mtg ppte ppty pte ptes pty ptys")
"""Those that lose it where a letter after the first is a capital."""

NUMBER_ABBREVIATIONS = _words(
    """
    art ca fig figs no nos op p pp prop
    """
)
"""They keep it where a digit follows."""

SENTENCE_STARTERS = (
    "A|About|According|Additionally|After|An|As|At|But|Earlier|He|Her|Here|However|If|In|It|Last|Many|More|Mr\\.|Ms\\.|Now|Once|"
    "One|Other|Our|She|Since|So|Some|Such|That|The|Their|Then|There|These|They|This|We|What|When|While|Yet|You"
)
"""After "X. " they begin a sentence, so that the full stop is no part of the initial."""

TWO_PARTS = {
    "cannot": ("can", "not"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "lemme": ("lem", "me"),
    "gimme": ("gim", "me"),
    "wanna": ("wan", "na"),
}
"""Words that are two tokens."""

FILE_ENDINGS = (
    "bat|bmp|c|class|cgi|cpp|dll|doc|docx|exe|gif|gz|h|html?|jar|java|jpe?g|mov|mp3|pdf|php|pl|png|ppt|ps|py|sql|tar|"
    "txt|wav|x|xml|zip"
)
"""A word of letters and digits with one of these endings is a file name."""
