"""How figures are computed and charts read, in the words of the page."""

from __future__ import annotations

from lti_tool.formatting import number
from lti_tool.language import gettext
from lti_tool.surveys import wording as survey_wording
from tool_config.rules import Rules


def time_spent(rules: Rules) -> str:
    """Say how time is estimated."""
    low, high = rules.time_spent.sensitivity_minutes[0], rules.time_spent.sensitivity_minutes[-1]
    return gettext(
        "Temps en ligne : somme des écarts entre deux traces d’une même personne, quand l’écart ne "
        "dépasse pas %(cap)s minutes ; "
        "la dernière trace compte pour zéro. C’est une estimation : la page d’un module montre ce qu’elle "
        "devient à %(low)s et à %(high)s minutes.",
        cap=rules.time_spent.cap_minutes,
        low=low,
        high=high,
    )


def active() -> str:
    """Say who counts as active."""
    return gettext(
        "Active : une personne inscrite dont au moins une trace ou une présence tombe dans la période. "
        "Les personnes qui tutorent ou administrent ne sont jamais comptées."
    )


def completed() -> str:
    """Say what completes an activity, a module, a path."""
    return gettext(
        "Terminé : pour une activité, la plateforme l’a déclarée achevée, ou la personne y était présente "
        "; pour un module, toutes ses activités "
        "obligatoires le sont ; pour le parcours, il est déclaré achevé, ou tous ses modules obligatoires "
        "le sont."
    )


def stuck(rules: Rules) -> str:
    """Say when a module is said to hold people."""
    return gettext(
        "Un module bloque quand au moins %(people)s personnes l’ont commencé et n’y progressent plus "
        "depuis %(days)s jours ou plus.",
        people=number(rules.states.stuck_people),
        days=number(rules.states.stuck_days),
    )


def states(rules: Rules) -> str:
    """Say how states are given."""
    return gettext(
        "L’état suit des règles fixes : pas encore de connexion (inscription sans trace ni présence), "
        "sans activité récente "
        "(%(days)s jours sans trace ni présence), rythme plus lent (moins de modules que le calendrier ou "
        "que la moitié du groupe), "
        "en bonne voie, parcours terminé. L’outil propose, une personne décide.",
        days=number(rules.states.inactive_days),
    )


def weeks() -> str:
    """Say what a bar of the chart of weeks is."""
    return gettext(
        "Chaque barre est une semaine, du lundi au dimanche ; la dernière n’est pas finie. L’axe part de "
        "zéro."
    )


def reading(page: str, rules: Rules) -> list[str]:
    """Return the sentences of « comment lire » of a page or a chart."""
    return {
        "weeks": [weeks(), active()],
        "modules": [completed(), stuck(rules), time_spent(rules)],
        "module": [
            completed(),
            gettext(
                "Les activités sont dans l’ordre du parcours. La médiane partage en deux celles et ceux qui "
                "ont ouvert l’activité."
            ),
            time_spent(rules),
        ],
        "people": [states(rules), time_spent(rules)],
        "pace": [
            gettext(
                "Le trait plein : vos modules terminés, semaine après semaine. La bande : la moitié du "
                "milieu du groupe, sans vous."
            ),
            gettext(
                "La bande n’est montrée que si le groupe compte au moins %(k)s autres personnes.",
                k=number(rules.disclosure.course),
            ),
        ],
        "sessions": [
            gettext(
                "Actifs : part des inscrits avec une trace ou une présence ces sept derniers jours. "
                "Achèvement : part des inscrits dont le parcours est terminé."
            ),
            gettext(
                "Une part n’est pas montrée sous %(k)s personnes. L’astérisque signale une liste "
                "d’inscrits incomplète.",
                k=number(rules.disclosure.course),
            ),
        ],
        "crossing": [crossing()],
    }[page]


def crossing() -> str:
    """Say how two dimensions are crossed and tested."""
    return gettext(
        "Attendu : ce que donnerait la même répartition pour tous. Un couple ressort quand son résidu "
        "ajusté reste improbable une fois corrigé du nombre de cases (Holm, 5 %). Le V de Cramér, corrigé de "
        "son biais (Bergsma), dit la force du lien, de 0 à 1. Quand plus d’une case attendue sur cinq compte "
        "moins de 5, la probabilité vient de 9 999 tableaux tirés au hasard. Un lien n’est pas une cause."
    )


def glossary(rules: Rules) -> list[tuple[str, str]]:
    """Return the definitions of the page « Comment ces chiffres sont calculés »: (title, text)."""
    return [
        (gettext("Inscrits"), enrolled()),
        (gettext("Actifs"), active()),
        (gettext("États"), states(rules)),
        (gettext("Terminé"), completed()),
        (gettext("Un module qui bloque"), stuck(rules)),
        (gettext("Temps en ligne"), time_spent(rules)),
        (gettext("Présences"), presences()),
        (gettext("Satisfaction"), survey_wording.definition(rules.disclosure.course)),
        (gettext("Seuil de publication"), threshold(rules)),
        (gettext("Fraîcheur"), freshness()),
        (gettext("Qui voit quoi"), who_sees()),
    ]


def enrolled() -> str:
    """Say who is counted."""
    return gettext(
        "Les personnes inscrites selon la plateforme, et celles que les traces ont montrées, moins les "
        "départs. "
        "Tant que la plateforme n’a pas donné la liste, le nombre est dit incomplet."
    )


def presences() -> str:
    """Say what the tool knows of presences."""
    return gettext(
        "Les traces ne voient que la plateforme. Une journée en présence, une classe virtuelle ou une "
        "visite comptent quand "
        "leur présence a été cochée ou transmise ; sinon la page dit : activité en ligne seulement."
    )


def threshold(rules: Rules) -> str:
    """Say what is not shown of small groups."""
    return gettext(
        "Une part ou une bande de groupe n’est pas montrée sous %(k)s personnes, pour que personne ne s’y "
        "reconnaisse.",
        k=number(rules.disclosure.course),
    )


def freshness() -> str:
    """Say how late the figures may be."""
    return gettext(
        "Les tableaux suivent l’arrivée des traces en quelques secondes ; la plateforme, elle, les envoie "
        "par lots, "
        "en général en moins d’un quart d’heure. L’heure des données est en pied de page."
    )


def who_sees() -> str:
    """Say who may look at what."""
    return gettext(
        "Les personnes qui tutorent voient leur session, avec les noms. Les participants ne voient que "
        "leur propre parcours. "
        "L’administration voit les sessions avec des pseudonymes. Chaque ouverture de la page d’une "
        "personne est consignée."
    )
