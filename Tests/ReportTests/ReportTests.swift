import Findings
import Foundation
import FoundationXML
import SchemaChecking
import Testing

@testable import Report

@Suite struct ReportTests {
    /// What an uploader may call a file, a class or an image.
    static let hostile = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' style='x", "]]>", "-->", "<!--",
        "&lt;",
        "`x`", "\u{202E}gnp.exe", "\u{0}\u{7}\u{1B}[31m", "\u{2028}a\u{FEFF}", "</style><svg onload=1>",
        "</title>",
        "a\nb", "javascript:alert(1)", "ｆｕｌｌ", "💥", String(repeating: "w", count: 3_000),
    ]

    /// Whatever a name holds, it is text: the elements and attributes are those of a report with a plain name.
    @Test(arguments: hostile) func namesNeverBecomeMarkup(name: String) throws {
        let expected = try Structure(HTMLReport.render(Sample.report()))
        let found = try Structure(HTMLReport.render(Sample.report(name: name)))
        #expect(found.elements == expected.elements)
        let text = String(decoding: HTMLReport.render(Sample.report(name: name)), as: UTF8.self)
        #expect(!text.contains("<script"))
        #expect(
            !text.unicodeScalars.contains {
                ($0.value < 0x20 && $0 != "\n") || ["\u{202E}", "\u{2028}", "\u{FEFF}"].contains($0)
            })
    }

    @Test func theFileFetchesNothingAndRunsNothing() throws {
        let page = try Structure(HTMLReport.render(Sample.report()))
        #expect(page.elements.count > 200)
        for element in page.elements {
            #expect(
                !["script", "link", "img", "iframe", "object", "a", "form", "base", "image", "use"].contains(
                    element.name))
            for attribute in element.attributes {
                #expect(
                    !attribute.hasPrefix("on") && !["src", "href", "style", "srcset"].contains(attribute),
                    "\(element)")
            }
        }
        let text = String(decoding: HTMLReport.render(Sample.report()), as: UTF8.self)
        #expect(!text.contains("url(") && !text.contains("@import") && !text.contains("http://"))
        #expect(text.contains("default-src &#39;none&#39;"))
    }

    @Test func bothFormsSayTheSame() throws {
        let report = Sample.report()
        let page = String(decoding: HTMLReport.render(report), as: UTF8.self)
        let json = String(decoding: try JSONReport.render(report), as: UTF8.self)
        for line in [report.words.headline] + report.words.explanation + report.limits + [
            report.rerun.command
        ] {
            #expect(page.contains(Markup.escaped(line)), "\(line)")
        }
        for digest in [report.inputs.model.sha256, report.purification?.modelSHA256] {
            let digest = try #require(digest)
            #expect(page.contains(digest) && json.contains(digest))
        }
        #expect(page.contains("98.28 %") && page.contains("0.50 %"))
        #expect(try JSONDecoder().decode(JobReport.self, from: Data(json.utf8)) == report)
    }

    /// The same job twice: other ids and times.
    @Test func twoRunsDifferInTimesAndIdsAlone() throws {
        let first = Sample.report(id: "job_1", seconds: 2.5)
        let second = Sample.report(id: "job_2", seconds: 3.75)
        func withoutTimes(_ report: JobReport) throws -> Data {
            var report = report
            report.job = .init(type: report.job.type)
            report.phases = report.phases.map { .init(phase: $0.phase, round: $0.round, seconds: 0) }
            report.inputs.model.id = nil
            report.inputs.dataset.id = nil
            return try JSONReport.render(report)
        }
        #expect(try JSONReport.render(first) != JSONReport.render(second))
        #expect(try withoutTimes(first) == withoutTimes(second))
        func shown(_ report: JobReport) throws -> String {
            String(decoding: HTMLReport.render(report), as: UTF8.self)
                .replacing(
                    try Regex("<time>[^<]*</time>|<(code|data) class=\"(id|memory)\">[^<]*</"), with: "")
        }
        #expect(try shown(first) == shown(second))
        #expect(HTMLReport.render(first) == HTMLReport.render(first))
    }

    @Test(arguments: [
        (Verdict.Result.clean, JobType.scan), (.clean, .purify), (.suspicious, .purify), (.backdoored, .scan),
        (.backdoored, .purify), (.undetermined, .scan), (.undetermined, .purify),
    ])
    func everyVerdictHasItsWords(result: Verdict.Result, type: JobType) throws {
        let report = Sample.report(result, type: type, evaluated: false)
        let words = report.words.headline + report.words.explanation.joined(separator: " ")
        #expect(words.contains(result == .clean ? "No backdoor was found" : "1 “ship1”"))
        #expect(words.contains("could not be determined") == (result == .undetermined))
        #expect(report.limits.contains { $0.hasPrefix("Poison below") } == (result != .undetermined))
        #expect(words.contains("scan") == (type == .scan))
        #expect(report.limits.contains { $0.contains("No triggered images were given") })
        #expect(report.limits.contains { $0.contains("No clean test images were given") })
        _ = try Structure(HTMLReport.render(report))
    }

    @Test func manyClassesAreCutInThePageAndWholeInTheDocument() throws {
        let report = Sample.report(classes: 1_000)
        let page = HTMLReport.render(report)
        #expect(page.count < 1_000_000)
        #expect(String(decoding: page, as: UTF8.self).contains("800 more classes are in the JSON form"))
        let decoded = try JSONDecoder().decode(JobReport.self, from: JSONReport.render(report))
        #expect(decoded.verdict.evidence.classes.count == 1_000)
        _ = try Structure(page)
    }

    @Test func theCommandRunsTheJobAgain() {
        let report = Sample.report()
        let words = report.rerun.command.split(separator: " ").map(String.init)
        #expect(words.starts(with: ["burnd", "purify", "MODEL", "DATASET", "--output", "OUT"]))
        #expect(report.rerun.command.contains("--seed 7"))
        #expect(report.rerun.command.contains("--resize 40 --crop 32x32"))
        #expect(report.rerun.command.contains("--classes classes.json"))
        #expect(report.rerun.classes == ["ship": 1])
        #expect(JobReport.Rerun.quoted("a'b $(x)") == "'a'\\''b $(x)'")
    }

    @Test func theSchemaDescribesEveryMember() throws {
        let schema = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/burn-report-1.schema.json").standardizedFileURL
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: schema)) as? [String: Any])
        let checker = SchemaChecker(document: document)
        for report in [
            Sample.report(), Sample.report(.clean, type: .scan, id: nil, evaluated: false),
            Sample.report(.suspicious), Sample.report(.undetermined),
        ] {
            let value = try JSONSerialization.jsonObject(with: JSONReport.render(report))
            #expect(checker.faults(value, document, at: "report") == [])
        }
        var wrong = Sample.report()
        wrong.schema = "burn-report/2"
        wrong.inputs.model.sha256 = "no digest"
        let value = try JSONSerialization.jsonObject(with: JSONReport.render(wrong))
        #expect(checker.faults(value, document, at: "report").count == 2)
    }
}

/// The elements of a well-formed document, with the names of their attributes.
private final class Structure: NSObject, XMLParserDelegate {
    struct Element: Hashable {
        var name: String
        var attributes: [String]
    }

    private(set) var elements: [Element] = []

    init(_ document: Data) throws {
        super.init()
        let parser = XMLParser(data: document)
        parser.delegate = self
        guard parser.parse() else { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements.append(Element(name: name, attributes: attributes.keys.sorted()))
    }
}
