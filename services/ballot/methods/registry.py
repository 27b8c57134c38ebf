"""The one place where voting methods are registered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.ballot.methods.approval import Approval
from services.ballot.methods.borda import Borda
from services.ballot.methods.budget_equal_shares import BudgetEqualShares
from services.ballot.methods.budget_greedy import BudgetGreedy
from services.ballot.methods.cumulative import Cumulative
from services.ballot.methods.irv import Irv
from services.ballot.methods.majority_judgment import MajorityJudgment
from services.ballot.methods.method import Method
from services.ballot.methods.multiple_choice import MultipleChoice
from services.ballot.methods.ranked_pairs import RankedPairs
from services.ballot.methods.schulze import Schulze
from services.ballot.methods.score import Score
from services.ballot.methods.single_choice import SingleChoice
from services.ballot.methods.stv_scottish import StvScottish
from services.ballot.methods.stv_wigm import StvWigm
from services.ballot.methods.supports import Supports
from services.ballot.methods.survey import Survey
from services.ballot.methods.yes_no import YesNo

_ALL: Final = (
    *(YesNo(), SingleChoice(), MultipleChoice(), Approval(), Score(), Cumulative(), MajorityJudgment()),
    *(Borda(), Schulze(), RankedPairs(), Irv(), StvScottish(), StvWigm()),
    *(BudgetGreedy(), BudgetEqualShares(), Survey(), Supports()),
)
METHODS: Final[Mapping[str, Method]] = MappingProxyType({method.name: method for method in _ALL})
