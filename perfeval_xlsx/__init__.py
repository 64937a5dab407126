"""Read, score, audit and fill back performance self-evaluation forms (绩效自评表) in Excel workbooks."""

__version__ = "0.1.0"
