"""From a request to figures: the market is opened, the runs are played, the figures are made."""

from dataclasses import dataclass
from pathlib import Path

from cli.market import open_market
from lab.backtest import OnProgress, backtest
from lab.bridge import in_backtrader
from lab.figures import Figures, Provenance, data_hash, figures_of
from lab.forecasts import ForecastStore
from lab.outcome import Outcome
from lab.request import BacktestRequest, chosen_config, settings_of
from lab.tear_sheet import write_tear_sheet


@dataclass(frozen=True)
class Played:
    """A backtest that is over."""

    request: BacktestRequest
    outcome: Outcome
    figures: Figures

    @property
    def name(self) -> str:
        """What to call its files: the strategies and the dates."""
        who = "-".join(self.figures.strategies) or "nothing"
        return f"backtest-{who}-{self.outcome.sessions[0]}-{self.outcome.sessions[-1]}"

    def write_tear_sheet(self, path: Path) -> None:
        """Write it as a page; OSError if that cannot be."""
        write_tear_sheet(self.figures, self._settings(), self.outcome.fills, path)

    def _settings(self) -> list[str]:
        request, outcome = self.request, self.outcome
        often = "each session" if request.every == "1d" else "the first session of each week"
        lines = [
            f"Run on {often} at {outcome.settings.at:%H:%M} New York: {outcome.runs:,} runs; in "
            f"{outcome.runs - outcome.asked:,} of them no strategy could have spoken.",
            f"Commission {request.cost_bps} bps, slippage {request.slippage_bps} bps.",
        ]
        if outcome.closed:
            lines.append(
                f"{outcome.closed} runs fell after an early close and were skipped, as the workflow skips them."
            )
        return lines


def play(request: BacktestRequest, cache: Path | None, on_progress: OnProgress | None) -> Played:
    """Play the request, forecasts kept in `cache`; InvalidInput and ConfigError come before anything is played."""
    player = in_backtrader() if request.engine == "backtrader" else None
    market = open_market(request.bars)
    config = chosen_config(request.config, request.strategies)
    settings = settings_of(request, market.history)
    outcome = backtest(market.history, config, settings, ForecastStore(cache), on_progress=on_progress, player=player)
    provenance = Provenance(
        data_hash(market.history),
        market.source,
        request.seed,
        config.only(tuple(config.enabled)).model_dump(mode="json"),
    )
    return Played(request, outcome, figures_of(outcome, market.history, request.cost_bps, provenance))
