"""prophet_trend: follow Prophet's forecast, with a stop below and a profit target above every entry."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from openbell.forecasts import Forecast
from openbell.model import Signal
from openbell.portfolio.sizing import BracketRule, Sizing, SizingRule
from openbell.strategies.protocol import Context, Parameters, Strategy


class ProphetTrendParameters(Parameters):
    """Fractions of the entry's price for the protective orders; the rule that reads the forecast."""

    rule: Literal["interval_skew", "trendline"] = "interval_skew"
    max_weight: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.25")  # a day may have one entry only
    skill_gate: bool = True  # enter nothing whose past forecasts were no better than "tomorrow equals today"
    stop: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.02")
    stop_limit: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.03")
    take_profit: Annotated[Decimal, Field(gt=0, le=10)] = Decimal("0.40")

    @model_validator(mode="after")
    def _limit_below_stop(self) -> Self:
        if self.stop_limit < self.stop:
            raise ValueError(f"stop_limit {self.stop_limit} must be at least stop {self.stop}: it lies below it")
        return self


class ProphetTrend(Strategy[ProphetTrendParameters]):
    """Buys where the forecast looks up and sells where it looks down.

    Rule `interval_skew`: at the horizon, the interval's upper and lower end are moves from the last close. Buy if the
    upper move is positive and the larger; sell a holding if the lower move is negative and the larger.
    Rule `trendline`: buy if the last close lies below the line predicted for the next bar, sell if above.

    The skill gate: a ticker whose scored past forecasts had no skill gets weight 0, so that it is not entered; a
    holding stays under its stop and its target. Forecasts without a scored past (preset `raw`) pass.
    """

    parameters_model: ClassVar[type[Parameters]] = ProphetTrendParameters
    needs_forecasts: ClassVar[bool] = True
    sizing: ClassVar[Sizing] = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        """One signal a forecast."""
        rule = _interval_skew if self.parameters.rule == "interval_skew" else _trendline
        found = [rule(context.forecasts[symbol]) for symbol in sorted(context.forecasts)]
        return [self._gated(signal, context.forecasts[signal.symbol]) for signal in found]

    def _gated(self, signal: Signal, forecast: Forecast) -> Signal:
        skill = forecast.skill
        if not self.parameters.skill_gate or signal.score <= 0 or skill is None or skill > 0:
            return signal
        return replace(
            signal, vetoed=f'its past forecasts have not beaten "tomorrow equals today" (skill {skill:+.3f})'
        )

    def sizing_rule(self) -> SizingRule:
        """Entries are sized equally and come with a bracket; holdings are left alone."""
        parameters = self.parameters
        bracket = BracketRule(parameters.stop, parameters.stop_limit, parameters.take_profit)
        return SizingRule(self.sizing, parameters.cash_buffer, bracket, parameters.max_weight)


def _interval_skew(forecast: Forecast) -> Signal:
    upper = forecast.yhat_upper[-1] / forecast.last_close - 1
    lower = forecast.yhat_lower[-1] / forecast.last_close - 1
    moves = f"in {len(forecast.yhat)} bars between {lower:+.1%} and {upper:+.1%}"
    skew = (abs(upper) - abs(lower)) / ((abs(upper) + abs(lower)) or 1.0)
    if upper > 0 and skew > 0:
        return Signal(forecast.symbol, skew, f"expected {moves}: more room above than below")
    if lower < 0 and skew < 0:
        return Signal(forecast.symbol, skew, f"expected {moves}: more room below than above")
    return Signal(forecast.symbol, 0.0, f"expected {moves}: no lean")


def _trendline(forecast: Forecast) -> Signal:
    gap = forecast.yhat[0] / forecast.last_close - 1
    score = max(-1.0, min(1.0, gap))
    side = "below" if gap > 0 else "above"
    return Signal(
        forecast.symbol, score, f"last close {forecast.last_close:.2f} is {side} the predicted {forecast.yhat[0]:.2f}"
    )
