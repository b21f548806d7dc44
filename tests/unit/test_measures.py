from openbell.measures import Figure, figures

REPORT = {
    "equity": "1000.00",
    "strategies": ["trend"],
    "checks": {"books_agree": True, "differences": []},
    "sleeves": {
        "trend": {
            "equity": "500.00",
            "realised_pnl": "-3.5",
            "unrealised_pnl": "12",
            "positions": {"A": {"value": "200"}, "B": {"value": "100"}},
        },
        "idle": {"equity": "0", "realised_pnl": "0", "unrealised_pnl": "0", "positions": {}},
    },
    "signals": {"trend": [{}, {}]},
    "orders": [
        {"strategies": ["trend"], "status": "FILLED"},
        {"strategies": ["trend", "idle"], "status": "REJECTED"},
    ],
    "cuts": [{"strategy": "trend"}],
    "failed_strategies": {"idle": "ValueError"},
    "accuracy": {
        "trend": {
            "5": {"mase": 2.0, "skill": 0.1, "coverage": 0.8},
            "10": {"mase": 3.0, "skill": None, "coverage": 0.7},
        }
    },
}


def of(strategy: str) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures(REPORT) if figure.strategy == strategy}


def test_the_accounts_figures() -> None:
    assert of("") == {"Equity": 1000.0, "Exposure": 0.3, "DriftFound": 0.0}  # 300 of 1,000 USD are invested


def test_a_strategys_figures() -> None:
    assert of("trend") == {
        "Signals": 2,
        "Orders": 2,
        "OrdersFilled": 1,
        "OrdersRejected": 1,
        "RiskCuts": 1,
        "StrategyFailed": 0,
        "SleeveEquity": 500,
        "SleeveExposure": 0.6,  # 300 of 500 USD
        "RealisedPnl": -3.5,
        "UnrealisedPnl": 12,
        "ForecastMase": 3.0,  # at 10 bars, the longest; without a skill there is no figure for it
        "ForecastCoverage": 0.7,
    }


def test_the_share_of_missing_forecasts_counts_those_that_were_wanted() -> None:
    wanted = REPORT | {"forecasts": {"made": [{}, {}, {}], "failed": {"A": "too few bars"}}}
    assert Figure("ForecastsMissing", 0.25) in figures(wanted)  # 1 of 4
    assert not [figure for figure in figures(REPORT) if figure.name == "ForecastsMissing"]


def test_a_strategy_without_capital_has_no_exposure() -> None:
    assert of("idle")["SleeveExposure"] == 0.0
    assert of("idle")["StrategyFailed"] == 1


def test_a_run_that_failed_early_has_few_figures() -> None:
    assert figures({"strategies": [], "checks": {}}) == [Figure("DriftFound", 0.0)]
