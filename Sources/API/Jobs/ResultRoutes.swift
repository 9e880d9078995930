import Findings
import Foundation
import HTTPServer
import JobStore
import Support

extension RESTService {
    func addResultRoutes(to router: inout Router) {
        router.on(.get, "/v1/jobs/{id}/samples") { request in try await samples(request) }
        router.on(.get, "/v1/jobs/{id}/metrics") { request in
            try request.head.allowQuery()
            let job = try await store.job(request.id)
            let points = try await store.metrics(of: job.id)
            return try JSON.response(JobMetricsResource(phases: job.phases, points: points))
        }
        router.on(.get, "/v1/jobs/{id}/model") { request in
            try request.head.allowQuery()
            let job = try await store.job(request.id)
            guard let blob = job.artifact(.purifiedModel) else { throw Self.noModel(job) }
            let name = (try? await store.model(job.request.model).name) ?? "model"
            return try download(blob, as: job.isModelChanged == true ? Self.purifiedName(name) : name)
        }
        router.on(.get, "/v1/jobs/{id}/labels") { request in
            try request.head.allowQuery()
            let job = try await store.job(request.id)
            return try labels(of: job)
        }
        addReportRoute(to: &router)
    }

    private func samples(_ request: HTTPRequest) async throws -> HTTPResponse {
        let head = request.head
        try head.allowQuery(
            "flagged", "class", "predicted", "restored", "reviewed", "sort", "limit", "cursor", "format")
        let sort = try head.queryOne("sort", of: SampleSort.self) ?? .index
        let query = SampleQuery(
            flagged: try head.queryBool("flagged"),
            givenLabel: try head.queryInt("class", 0...Int(Int32.max)),
            predictedLabel: try head.queryInt("predicted", 0...Int(Int32.max)),
            restoredLabel: try head.queryInt("restored", 0...Int(Int32.max)),
            reviewed: try head.queryBool("reviewed"),
            key: sort.key, descending: sort.descending)
        let type =
            switch head.queryValue("format") {
            case nil: head.negotiated(["application/json", "text/csv", "application/x-ndjson"])
            case "json": "application/json"
            case "csv": "text/csv"
            case "ndjson": "application/x-ndjson"
            case .some: throw HTTPRequestHead.invalid("format", "format is json, csv or ndjson.")
            }
        let limit = try head.pageLimit()
        if type == "application/json" {
            let page = try await store.samples(
                of: request.id, query, limit: limit, cursor: head.queryValue("cursor"))
            return try JSON.response(page.resource { SampleResource($0) })
        }
        for name in ["limit", "cursor"] where head.queryValue(name) != nil {
            throw HTTPRequestHead.invalid(
                name, "\(name) goes with JSON; CSV and NDJSON hold every sample.", fix: "Leave it out.")
        }
        // The page tells whether there are samples, before the stream's status is sent.
        _ = try await store.samples(of: request.id, query, limit: 1, cursor: nil)
        let pages = store.samplePages(of: request.id, query)
        let csv = type == "text/csv"
        return HTTPResponse(
            status: .ok, headers: [.contentType: csv ? "text/csv; charset=utf-8" : type],
            body: .stream { writer in
                if csv { try await writer.write(Data(SampleTable.header.utf8)) }
                for try await page in pages {
                    var rows = Data()
                    for sample in page {
                        if csv {
                            rows += Data(SampleTable.row(sample.finding).utf8)
                        } else {
                            rows += try JSON.data(SampleResource(sample)) + Data("\n".utf8)
                        }
                    }
                    try await writer.write(rows)
                }
            })
    }

    private func labels(of job: JobRecord) throws -> HTTPResponse {
        guard job.state == .succeeded else { throw Self.notReady(job, "corrected labels") }
        let type = "text/csv; charset=utf-8"
        if let blob = job.artifact(.correctedLabels) {
            return try download(blob, as: "labels.csv", type: type)
        }
        let pages = store.samplePages(of: job.id, SampleQuery())
        return HTTPResponse(
            status: .ok,
            headers: [.contentType: type, .contentDisposition: "attachment; filename=\"labels.csv\""],
            body: .stream { writer in
                try await writer.write(Data(SampleTable.labelsHeader.utf8))
                for try await page in pages {
                    try await writer.write(Data(page.map { SampleTable.labelsRow($0.finding) }.joined().utf8))
                }
            })
    }

    /// Why a job has no purified model, now or ever.
    private static func noModel(_ job: JobRecord) -> Problem {
        guard job.state == .succeeded else { return notReady(job, "purified model") }
        if job.request.type == .scan {
            return Problem(
                .notFound, code: "scan-has-no-model", title: "A scan makes no model",
                detail: "Job \(job.id) is a scan, which stops after the verdict.",
                fix: "POST /v1/jobs with \"type\": \"purify\".")
        }
        return Problem(
            .notFound, code: "model-missing", title: "The job made no model",
            detail: "Job \(job.id) has succeeded without one.", fix: "Start a new job.")
    }

    static func notReady(_ job: JobRecord, _ what: String) -> Problem {
        let ended = job.state.isTerminal
        return Problem(
            .conflict, code: "result-not-ready", title: "The job has no such result yet",
            detail: "Job \(job.id) is \(job.state.rawValue); it has no \(what).",
            fix: ended ? "POST /v1/jobs/\(job.id)/retry runs it again." : "Wait until its state is succeeded."
        )
    }

    /// `resnet.pt2` becomes `resnet-purified.pt2`.
    static func purifiedName(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name + "-purified" }
        return "\(name[..<dot])-purified\(name[dot...])"
    }
}

/// The values of `sort`; a leading minus sorts from high to low.
enum SampleSort: String, CaseIterable {
    case index
    case indexDescending = "-index"
    case score
    case scoreDescending = "-score"
    case boundaryDistance = "boundary_distance"
    case boundaryDistanceDescending = "-boundary_distance"
    case coherence
    case coherenceDescending = "-coherence"
    case givenLabel = "given_label"
    case givenLabelDescending = "-given_label"

    var descending: Bool { rawValue.hasPrefix("-") }

    var key: SampleQuery.Key {
        switch self {
        case .index, .indexDescending: .index
        case .score, .scoreDescending: .score
        case .boundaryDistance, .boundaryDistanceDescending: .boundaryDistance
        case .coherence, .coherenceDescending: .coherence
        case .givenLabel, .givenLabelDescending: .givenLabel
        }
    }
}

/// A finished phase (and, in refinement, round) as the API shows it.
struct FinishedPhaseResource: Encodable {
    var phase: Phase
    var round: Int
    var seconds: Double

    init(_ record: PhaseRecord) {
        phase = record.phase
        round = record.round
        seconds = record.seconds
    }
}

/// What `GET /v1/jobs/{id}/metrics` answers.
struct JobMetricsResource: Encodable {
    var phases: [FinishedPhaseResource]
    var costs: [StageCost]
    var items: [MetricPoint]

    init(phases: [PhaseRecord], points: [MetricPoint]) {
        self.phases = phases.map(FinishedPhaseResource.init)
        (costs, items) = StageCost.split(points)
    }
}
