import ArtifactStore
import Findings
import Foundation
import GRDB
import Support

/// A job in a few words, beside the model or data set that it used.
public struct JobMention: Hashable, Sendable {
    public var id: String
    public var type: JobType
    public var state: JobState
    public var verdict: Verdict.Result?
}

/// A model that a job made of another.
public struct PurifiedModel: Codable, Hashable, Sendable {
    /// The job's id.
    public var job: String
    public var sha256: String
}

/// What a finished job's samples are pictured from.
public struct PictureSources: Hashable, Sendable {
    public var model: Blob
    public var skeleton: SkeletonSource?
    /// A data set's id.
    public var dataset: String
    public var options: JobOptions
}

extension JobStore {
    private static let mentions = 50

    /// The newest jobs that a model or data set takes part in, newest first.
    public func jobs(using kind: InputKind, _ id: String) async throws -> [JobMention] {
        let references = kind.jobColumns.map { "SELECT seq FROM jobs WHERE \($0) = :id" }
            .joined(separator: " UNION ")
        return try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, type, state, json_extract(verdict, '$.result') AS result FROM jobs
                    WHERE seq IN (\(references)) ORDER BY seq DESC LIMIT \(Self.mentions)
                    """, arguments: ["id": id]
            ).map {
                JobMention(
                    id: $0["id"], type: try $0.enumCase("type"), state: try $0.enumCase("state"),
                    verdict: try $0.optionalCase("result"))
            }
        }
    }

    /// The newest models that jobs made of a model, without those that they left as it is.
    public func purifiedModels(of model: String) async throws -> [PurifiedModel] {
        try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT jobs.id AS id, artifacts.sha256 AS sha256 FROM jobs
                    JOIN artifacts ON artifacts.job = jobs.seq AND role = 'purified_model'
                    WHERE model_ref = ? AND artifacts.sha256 <> model_sha256
                    ORDER BY jobs.seq DESC LIMIT \(Self.mentions)
                    """, arguments: [model]
            ).map { PurifiedModel(job: $0["id"], sha256: $0["sha256"]) }
        }
    }

    /// - Throws: `Problem` `job-not-found`; `inputs-deleted` (conflict) where the model or the data set is
    ///   gone.
    public func pictureSources(of id: String) async throws -> PictureSources {
        try await read { database in
            let job = try Self.job(id, database)
            let model = try Row.fetchOne(
                database,
                sql: "SELECT sha256, size, import_options FROM models WHERE id = ? AND state = 'ready'",
                arguments: [job.request.model])
            guard let model else { throw Self.inputsDeleted(id, "model \(job.request.model)") }
            let dataset = job.request.dataset
            try Self.requireDataset(dataset, of: id, database)
            let skeleton: SkeletonSource?
            do { skeleton = try SkeletonSource(model, database) } catch let problem as Problem
                where problem.category == .notFound
            {
                throw Self.inputsDeleted(id, "model that gave \(job.request.model) its graph")
            }
            return PictureSources(
                model: model.blob, skeleton: skeleton, dataset: dataset, options: job.request.options)
        }
    }

    /// The data set of a job, by its id, with the number of its samples.
    /// - Throws: `Problem` `job-not-found`; `inputs-deleted` (conflict).
    public func datasetSource(of id: String) async throws -> (dataset: String, samples: Int) {
        try await read { database in
            let dataset = try Self.job(id, database).request.dataset
            _ = try Self.requireSamples(of: id, database)
            return (dataset, try Self.requireDataset(dataset, of: id, database))
        }
    }

    @discardableResult
    private static func requireDataset(_ dataset: String, of job: String, _ database: Database) throws -> Int
    {
        let row = try Row.fetchOne(
            database, sql: "SELECT summary FROM datasets WHERE id = ? AND state = 'ready'",
            arguments: [dataset])
        guard let row else { throw inputsDeleted(job, "data set \(dataset)") }
        return try row.requiredJSON("summary", as: DatasetSummary.self).samples
    }

    private static func inputsDeleted(_ job: String, _ what: String) -> Problem {
        Problem(
            .conflict, code: "inputs-deleted", title: "What the job was given is not there any more",
            detail: "The \(what) was deleted after job \(job), and pictures are made from it.",
            fix: "Upload it again and submit a new job.")
    }
}
