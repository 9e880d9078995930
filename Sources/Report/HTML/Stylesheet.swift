/// The report's style: one file, no fonts or images from elsewhere, light and dark on a screen, plain on paper.
enum Stylesheet {
    static let text: Markup = """
        :root{--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--paper:#fff;--panel:#f5f7f9;--bad:#b3261e;--warn:#9a6700;\
        --good:#1a7f37;--open:#6b3f8f;--plain:#6b86a6;--s1:#f6d5d2;--s2:#eba9a3;--s3:#d96c63;--s4:#b3261e}
        @media (prefers-color-scheme:dark){@media screen{:root{--ink:#e6e9ed;--soft:#9aa4af;--line:#3a424b;\
        --paper:#14181d;--panel:#1d232a;--bad:#ff8a80;--warn:#e3b341;--good:#56d364;--open:#c8a2ee;--plain:#7f9cbd;--s1:#4a2320;\
        --s2:#7a322c;--s3:#b3443b;--s4:#ff8a80}}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,\
        "Helvetica Neue",Arial,sans-serif}
        main{max-width:960px;margin:0 auto;padding:28px 20px 60px}
        h1{font-size:26px;line-height:1.25;margin:.2em 0 .4em}
        h2{font-size:19px;margin:2em 0 .6em;padding-bottom:.2em;border-bottom:1px solid var(--line)}
        h3{font-size:15px;margin:1.4em 0 .4em}
        p,li{max-width:75ch}
        .kicker{color:var(--soft);margin:0}
        .verdict{border-left:6px solid var(--soft);background:var(--panel);padding:12px 18px;margin:14px 0}
        .verdict.backdoored{border-color:var(--bad)}.verdict.suspicious{border-color:var(--warn)}
        .verdict.clean{border-color:var(--good)}.verdict.undetermined{border-color:var(--open)}
        .verdict strong{display:block;font-size:18px;margin-bottom:4px}
        table{border-collapse:collapse;width:100%;margin:8px 0;font-size:14px}
        th,td{text-align:left;vertical-align:top;padding:4px 10px 4px 0;border-bottom:1px solid var(--line)}
        th{color:var(--soft);font-weight:600}
        td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
        tr.target td{font-weight:600;color:var(--bad)}
        code,pre{font:13px/1.45 ui-monospace,"SF Mono",Menlo,Consolas,monospace}
        code{overflow-wrap:anywhere}
        pre{background:var(--panel);padding:10px 14px;white-space:pre-wrap;overflow-wrap:anywhere}
        .figures{display:flex;flex-wrap:wrap;gap:10px 24px}
        .scroll{overflow-x:auto}
        svg{max-width:100%;height:auto}
        .note{color:var(--soft);font-size:13.5px}
        .label,.count{font-size:11px;fill:var(--soft)}.title{font-size:12px;font-weight:600;fill:var(--ink)}
        .count{fill:var(--ink)}.count.light{fill:var(--paper)}
        .flagged{fill:var(--bad)}.flagged-text{fill:var(--bad)}.plain{fill:var(--plain)}.track{fill:var(--panel)}
        .axis{stroke:var(--soft);stroke-width:1}.null{stroke:var(--ink);stroke-width:2}
        .shade0,.shade1{fill:var(--s1)}.shade2{fill:var(--s2)}.shade3{fill:var(--s3)}.shade4{fill:var(--s4)}
        @page{margin:16mm}
        @media print{body{font-size:11pt}main{max-width:none;padding:0}h2{break-after:avoid}
        table,svg,.verdict,pre{break-inside:avoid}tr{break-inside:avoid}
        *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
        """
}
