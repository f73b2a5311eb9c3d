"""What only the institution knows of itself: who answers for the processing, whom to write to, who hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from lti_tool.compliance_tables import institution
from tool_config.database import insert

#: Signs of one particular.
LONGEST = 300


@dataclass(frozen=True)
class Field:
    """A particular: its name in the table, in documents, and what is to be written."""

    id: str
    label: str
    example: str


#: In French alone, like the documents.
FIELDS = (
    Field("controller", "Responsable du traitement", "Institut des hautes études de l’éducation et de la "
                                                     "formation"),
    Field("address", "Adresse du responsable", "Téléport 2, boulevard des Frères-Lumière, "
                                               "Chasseneuil-du-Poitou"),
    Field("signatory", "Qualité de la personne qui signe", "La directrice"),
    Field("legal_basis", "Texte qui fonde la mission", "décret ou arrêté qui confie la formation à "
                                                       "l’établissement"),
    Field("dpo", "Délégué à la protection des données", "nom ou service"),
    Field("dpo_contact", "Adresse du délégué", "dpd@exemple.fr"),
    Field("rights_contact", "Où exercer ses droits", "formation@exemple.fr"),
    Field("security_officer", "Responsable de la sécurité (RSSI)", "nom ou service"),
    Field("authority", "Autorité d’homologation", "qualité de la personne"),
    Field("host", "Hébergeur du serveur", "dénomination"),
    Field("host_country", "Pays de l’hébergement", "France"),
    Field("processor", "Prestataire qui exploite l’outil", "dénomination, ou : aucun"),
    Field("subprocessors", "Prestataires du prestataire", "dénominations, ou : aucun"),
    Field("backups", "Sauvegardes", "qui les fait, où elles sont, combien de temps elles sont gardées"),
)  # fmt: skip
_KNOWN = {field.id for field in FIELDS}


def read(conn: Connection, silo_id: int) -> dict[str, str]:
    """Return what is known, by the name of the field."""
    c = institution.c
    query = select(c.field, c.value).where(c.silo_id == silo_id, c.field.in_(_KNOWN))
    return {row.field: row.value for row in conn.execute(query)}


def write(conn: Connection, silo_id: int, said: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Keep the particulars given; an empty one is forgotten. ValueError: no such field, or too long."""
    for field, text in said.items():
        value = " ".join(text.split())
        if field not in _KNOWN or len(value) > LONGEST:
            raise ValueError(field)
        if not value:
            conn.execute(
                delete(institution).where(institution.c.silo_id == silo_id, institution.c.field == field)
            )
            continue
        row = {"value": value, "changed_at": now, "changed_by": by}
        written = insert(conn, institution).values(silo_id=silo_id, field=field, **row)
        conn.execute(written.on_conflict_do_update(index_elements=["silo_id", "field"], set_=row))
