"""Prophet's model without Prophet's cost: exact fits, batches of tickers, honest intervals, scores.

    batch = forecast_many(closes, ForecastOptions.preset("calibrated", horizon=15))   # or "raw": Prophet as it is
    batch.made["KO"].yhat, batch.failed

The way of a forecast: `batch` checks the closes and groups tickers with the same bars; `fitting` scales windows of
history and fits them (`design` their features, `map_problem`, `map_path` and `map_solver` the exact engine, `stan` the
rest); `predict` and `intervals` look ahead; `calibration` and `skill` learn from the ticker's past forecasts. `scoring`
judges stored forecasts, `prophet_backend` puts the exact engine under Prophet's own class.
"""
