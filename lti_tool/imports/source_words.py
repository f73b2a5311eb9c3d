"""What is said of a log, of a questionnaire and of a file of audience once they are in."""

from __future__ import annotations

from lti_tool.formatting import number
from lti_tool.language import gettext, ngettext


def note(code: str, count: int) -> str:
    """Say what came of a file; `code`: a word, then what it is about (an event, a scale)."""
    head, _, rest = code.partition(" ")
    if head == "silent" and rest:
        return gettext("%(event)s : %(count)s", event=rest, count=number(count))
    if head == "scale":
        return ngettext(
            "%(num)d question lue comme : %(scale)s.", "%(num)d questions lues comme : %(scale)s.", count,
            scale=scale(rest),
        )  # fmt: skip
    return _counted(head, count) or f"{code} : {count}"


def _counted(code: str, count: int) -> str:
    if code == "known_elsewhere":
        return ngettext(
            "%(num)d ligne était déjà connue par les traces que Moodle envoie : elle n’est pas comptée deux "
            "fois.",
            "%(num)d lignes étaient déjà connues par les traces que Moodle envoie : elles ne sont pas "
            "comptées deux fois.",
            count,
        )
    if code == "staff":
        return ngettext(
            "%(num)d personne anime ce parcours : elle n’est pas comptée parmi les stagiaires.",
            "%(num)d personnes animent ce parcours : elles ne sont pas comptées parmi les stagiaires.",
            count,
        )
    if code == "silent":
        return ngettext(
            "%(num)d ligne ne dit rien d’un stagiaire : elle est laissée de côté. Par événement :",
            "%(num)d lignes ne disent rien d’un stagiaire : elles sont laissées de côté. Par événement :",
            count,
        )
    if code == "answers":
        return ngettext("%(num)d réponse est entrée.", "%(num)d réponses sont entrées.", count)
    if code == "opinions":
        return ngettext(
            "%(num)d questionnaire se lit dans l’onglet Satisfaction de sa session, sous les mêmes règles "
            "que ceux de l’outil.",
            "%(num)d questionnaires se lisent dans l’onglet Satisfaction de leur session, sous les mêmes "
            "règles que ceux de l’outil.",
            count,
        )
    if code == "unplaced":
        return ngettext(
            "%(num)d réponse nomme une session inconnue : dites laquelle dans Correspondances.",
            "%(num)d réponses nomment une session inconnue : dites laquelle dans Correspondances.",
            count,
        )
    if code == "blank":
        return ngettext(
            "%(num)d répondant n’a rien répondu.", "%(num)d répondants n’ont rien répondu.", count
        )  # fmt: skip
    if code == "doubtful":
        return ngettext(
            "%(num)d question est lue en quatre degrés, car personne n’a répondu au milieu. Si son échelle "
            "en a cinq, importez de nouveau le fichier en le disant à « Degrés des échelles ».",
            "%(num)d questions sont lues en quatre degrés, car personne n’a répondu au milieu. Si leur "
            "échelle en a cinq, importez de nouveau le fichier en le disant à « Degrés des échelles ».",
            count,
        )
    if code == "erased":
        return ngettext(
            "%(num)d ligne parle d’une personne dont les données ont été effacées à sa demande : elle est "
            "laissée de côté.",
            "%(num)d lignes parlent de personnes dont les données ont été effacées à leur demande : elles "
            "sont laissées de côté.",
            count,
        )
    if code == "anonymous":
        return gettext("Aucune colonne ne nomme les répondants : leurs réponses ne sont liées à personne.")
    if code == "robots":
        return ngettext(
            "%(num)d passage de robot a été écarté.", "%(num)d passages de robots ont été écartés.", count
        )
    return ""


def scale(name: str) -> str:
    """Name the scale of a question."""
    said = {
        "agreement": gettext("degré d’accord"),
        "satisfaction": gettext("satisfaction"),
        "frequency": gettext("fréquence"),
        "quality": gettext("qualité"),
        "usefulness": gettext("utilité"),
        "importance": gettext("importance"),
        "yes_no": gettext("oui ou non"),
        "rating_4": gettext("note de 1 à 4"),
        "rating_5": gettext("note de 1 à 5"),
        "rating_10": gettext("note de 0 à 10"),
        "number": gettext("nombre"),
        "single": gettext("une réponse au choix"),
        "multiple": gettext("plusieurs réponses au choix"),
        "text": gettext("texte libre"),
    }
    return said.get(name, name)
