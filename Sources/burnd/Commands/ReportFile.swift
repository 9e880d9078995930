import API
import Commands
import Findings
import Foundation
import Report
import Storage
import Support

extension ReportFile {
    /// Writes a report of a scan or purification on this machine.
    func write(_ report: JobReport) throws {
        let data = form == .html ? HTMLReport.render(report) : try JSONReport.render(report)
        try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}

extension VerdictText {
    /// The outputs' names, as far as classes or the model's file name them.
    static func outputNames(of result: LocalAnalysis.Result) -> [Int: String] {
        guard let agreement = result.verdict.agreement else {
            return outputNames(classes: result.dataset.classes, mapping: result.options.classes)
        }
        let model = (result.model.classNames ?? []).enumerated().map { ($0.offset, $0.element) }
        let classes = agreement.classes.map { ($0.label, $0.name) }
        return Dictionary(model + classes, uniquingKeysWith: { _, last in last })
    }
}

extension JobReport {
    /// - Parameters:
    ///   - output: the purified model's file.
    ///   - modelChanged: whether it differs from the one that came.
    init(
        _ type: JobType, _ arguments: AnalysisOptions, _ result: LocalAnalysis.Result, output: String?,
        modelChanged: Bool?
    ) throws {
        let findings = result.findings
        var tally = EvidenceTally()
        for sample in findings.samples { tally.add(sample) }
        let names = VerdictText.outputNames(of: result)
        func set(_ path: String, _ summary: DatasetSummary?) throws -> Input<DatasetSummary, ImportOptions> {
            try Self.input(path, summary, arguments.imports.importOptions)
        }
        var purification: Purification?
        if let output, let modelChanged {
            let file = try FileDigest(path: output)
            purification = .init(
                modelChanged: modelChanged, modelSHA256: file.sha256, modelBytes: file.bytes)
        }
        let imports = arguments.imports
        let model: ModelImport? =
            imports.modelSkeleton.map { _ in
                ModelImport(
                    architecture: imports.architecture, image: imports.image,
                    skeleton: imports.skeleton.map { URL(fileURLWithPath: $0).lastPathComponent },
                    weights: imports.weights, output: imports.modelOutput)
            }
        self.init(
            job: .init(type: type),
            software: .init(burnd: Release.version, engine: result.verdict.engine),
            inputs: .init(
                model: try Self.input(arguments.model, result.model, model),
                dataset: try set(arguments.dataset, result.dataset),
                clean: try arguments.sets.clean.map { try set($0, nil) },
                triggered: try arguments.sets.triggered.map { try set($0, nil) },
                targetClass: arguments.sets.targetClass),
            options: result.options, verdict: result.verdict,
            evidence: tally.distributions(
                classNames: (0..<((names.keys.max() ?? -1) + 1)).map { names[$0] ?? "" }),
            samples: tally.counts, purification: purification, metrics: findings.metrics,
            phases: findings.phases.map { .init(phase: $0.phase, round: $0.round, seconds: $0.seconds) },
            points: findings.points)
    }

    private static func input<Summary, Options>(_ path: String, _ summary: Summary?, _ options: Options?)
        throws
        -> Input<Summary, Options>
    {
        let name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            return .init(
                name: name, sha256: nil, treeSHA256: try TreeDigest.sha256(of: path), bytes: nil,
                summary: summary, options: options)
        }
        let file = try FileDigest(path: path)
        return .init(
            name: name, sha256: file.sha256, bytes: file.bytes, summary: summary, options: options)
    }
}

/// One digest for all files of a folder, which a shell can work out too:
///
///     (cd DIR && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum)
enum TreeDigest {
    static func sha256(of folder: String) throws -> String {
        let base = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        guard let walker = FileManager.default.enumerator(atPath: base) else {
            throw Problem(
                .notFound, code: "file-unreadable", title: "The file can't be read",
                detail: "\(folder) can't be listed.",
                fix: "Name a folder that you may read.")
        }
        var paths: [String] = []
        while let path = walker.nextObject() as? String {
            if walker.fileAttributes?[.type] as? FileAttributeType == .typeRegular { paths.append(path) }
        }
        var hash = Digest(.sha256)
        for path in paths.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let digest = try FileDigest(path: base + "/" + path).sha256
            hash.update(Data(line(digest, path).utf8))
        }
        return hash.bytes.hexadecimal
    }

    /// As sha256sum of GNU coreutils prints it: names with a backslash or line end are marked and escaped.
    private static func line(_ digest: String, _ path: String) -> String {
        let escaped = path.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing(
            "\r", with: "\\r")
        return (escaped == path ? "" : "\\") + "\(digest)  \(escaped)\n"
    }
}
