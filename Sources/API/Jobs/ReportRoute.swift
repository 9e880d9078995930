import Findings
import Foundation
import HTTPServer
import JobStore
import Report
import Support

extension RESTService {
    func addReportRoute(to router: inout Router) {
        router.on(.get, "/v1/jobs/{id}/report") { request in
            let head = request.head
            try head.allowQuery("format")
            let asHTML =
                switch head.queryValue("format") {
                case nil: head.negotiated(["application/json", "text/html"]) == "text/html"
                case "json": false
                case "html": true
                case .some: throw HTTPRequestHead.invalid("format", "format is json or html.")
                }
            let report = try await report(of: try await store.job(request.id))
            let name = "burn-report-\(request.id)"
            guard asHTML else {
                return .json(
                    try JSONReport.render(report),
                    headers: [.contentDisposition: "inline; filename=\"\(name).json\""])
            }
            return .data(
                HTMLReport.render(report), type: "text/html; charset=utf-8",
                headers: [
                    .contentSecurityPolicy: HTMLReport.contentSecurityPolicy + "; frame-ancestors 'none'",
                    .contentDisposition: "inline; filename=\"\(name).html\"",
                ])
        }
    }

    /// - Throws: `Problem` `result-not-ready` (conflict) for a job that has not succeeded.
    private func report(of job: JobRecord) async throws -> JobReport {
        guard job.state == .succeeded, let verdict = job.verdict else {
            throw Self.notReady(job, "report")
        }
        let request = job.request
        let inputs = JobReport.Inputs(
            model: reportInput(
                request.model, try await present { try await store.model(request.model) }, \.modelImport,
                sha256: job.modelSHA256),
            dataset: try await reportSet(request.dataset),
            clean: try await reportSet(request.evaluation?.clean),
            triggered: try await reportSet(request.evaluation?.triggered),
            targetClass: request.evaluation?.targetClass)
        var tally = EvidenceTally()
        if job.hasSamples {
            for try await page in store.samplePages(of: job.id, SampleQuery()) {
                page.forEach { tally.add($0.finding) }
            }
        }
        return JobReport(
            job: .init(
                id: job.id, type: request.type, createdAt: Timestamp.text(job.createdAt),
                startedAt: job.startedAt.map(Timestamp.text), finishedAt: job.finishedAt.map(Timestamp.text)),
            software: .init(burnd: Release.version, engine: verdict.engine), inputs: inputs,
            options: request.options, verdict: verdict,
            evidence: tally.distributions(
                classNames: Self.classNames(verdict, inputs.dataset.summary, request.options)),
            samples: tally.counts,
            purification: job.artifact(.purifiedModel).map {
                .init(modelChanged: job.isModelChanged == true, modelSHA256: $0.sha256, modelBytes: $0.size)
            },
            metrics: job.metrics,
            phases: job.phases.map { .init(phase: $0.phase, round: $0.round, seconds: $0.seconds) },
            points: try await store.metrics(of: job.id))
    }

    /// The name of every output of the model that a class folder stands for.
    private static func classNames(_ verdict: Verdict, _ dataset: DatasetSummary?, _ options: JobOptions)
        -> [String]
    {
        var names: [Int: String] = [:]
        for (index, item) in (dataset?.classes ?? []).enumerated() {
            names[options.classes?[item.name] ?? item.label ?? index] = item.name
        }
        if let found = verdict.agreement?.classes, !found.isEmpty { names = [:] }
        for item in verdict.agreement?.classes ?? [] { names[item.label] = item.name }
        for item in verdict.evidence.classes { names[item.label] = item.name }
        return (0..<((names.keys.max() ?? -1) + 1)).map { names[$0] ?? "" }
    }

    private func reportSet(_ id: String) async throws -> JobReport.Input<DatasetSummary, ImportOptions> {
        reportInput(id, try await present { try await store.dataset(id) }, \.importOptions)
    }

    private func reportSet(_ id: String?) async throws -> JobReport.Input<DatasetSummary, ImportOptions>? {
        guard let id else { return nil }
        return try await reportSet(id)
    }

    private func reportInput<Summary, Options>(
        _ id: String, _ record: InputRecord<Summary>?, _ options: KeyPath<InputRecord<Summary>, Options?>,
        sha256: String? = nil
    ) -> JobReport.Input<Summary, Options> {
        .init(
            id: id, name: record?.name, sha256: record?.blob.sha256 ?? sha256, bytes: record?.blob.size,
            summary: record?.summary, options: record?[keyPath: options])
    }

    /// Nil for an input that was deleted after the job.
    private func present<Record>(_ load: () async throws -> Record) async throws -> Record? {
        do { return try await load() } catch let problem as Problem where problem.category == .notFound {
            return nil
        }
    }
}
