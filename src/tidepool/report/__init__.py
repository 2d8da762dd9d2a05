"""The report of a run: one HTML file that opens from disk, needs no network and no script, and can be kept."""

from tidepool.report.facts import ReportFacts, Sheet
from tidepool.report.page import write_report
from tidepool.report.run import write_run_report

__all__ = ["ReportFacts", "Sheet", "write_report", "write_run_report"]
