"""Masking: names, addresses and numbers go, ordinary words stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.comments.masking import MASKS, mask, roster

KNOWN = roster(["Julie Petit", "Amadou DIALLO", "Jean-Pierre Le Goff", "Xavière Krzysztof", "Personne 3"])


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("Merci à Mme Durand et à M. de La Tour.", "Merci à Mme [nom] et à M. [nom]."),
        ("m. dupont et mme martin", "m. [nom] et mme [nom]"),
        ("Ecrire à jean.dupont@ac-x.fr ou au 06 12 34 56 78", "Ecrire à [courriel] ou au [numéro]"),
        ("prenom.nom (at) ac-lyon.fr, +33 6 12 34 56 78", "[courriel], [numéro]"),
        ("NUMEN 05E0812345ABC, UAI 0751234A", "NUMEN [numéro], UAI [numéro]"),
        ("Voir www.education.gouv.fr/stage et https://x.org/a?b=1", "Voir [lien] et [lien]"),
        ("krzysztof et Diallo aident, Mais Petit aussi", "[nom] et [nom] aident, Mais [nom] aussi"),
        ("J.-P. Dupont, DUPONT Julie, J. Le Goff", "[nom], [nom], [nom]"),
        ("La formatrice Tiphayne, et Véronique D.", "La formatrice [nom], et [nom]"),
        ("merci à jean-marc et @jdurand", "merci à [nom] et [nom]"),
        ("Dr. Robert Burriss and Professor Ng", "Dr. [nom] and Professor [nom]"),
        ("TRES BONNE FORMATION, MERCI A JULIE", "TRES BONNE FORMATION, MERCI A [nom]"),
    ],
)
def test_what_names_somebody_is_masked(written: str, masked: str) -> None:
    assert mask(written, KNOWN) == masked


@pytest.mark.parametrize(
    "written",
    [
        "Petit module, petit effort, pierre angulaire du parcours en 2024-2025.",
        "Mme la directrice et Monsieur le proviseur ont été clairs.",
        "Claire et précise, la formation dure 10 000 minutes depuis le 12/05/2026.",
        "Le CNED propose Moodle, IH2EF et UPE2A ; l’Éducation nationale aussi, en France.",
        "Les infirmier.es et formateur.rices sont contents. La rose, en mai.",
    ],
)
def test_ordinary_words_stay(written: str) -> None:
    assert mask(written, KNOWN) == written


@given(st.text(alphabet=st.sampled_from("MmePetitJulieDupont. -’@06123fr[]\n éÉ"), max_size=60))
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text, KNOWN)
    assert mask(once, KNOWN) == once


@given(
    st.sampled_from(["Julie Petit", "DIALLO Amadou", "Krzysztof"]), st.sampled_from(["avec {} !", "{} : oui"])
)
def test_a_full_name_of_the_roster_never_stays(name: str, around: str) -> None:
    masked = mask(around.format(name), KNOWN)
    assert not any(part in masked for part in name.split())
    assert any(mark in masked for mark in MASKS)
