import Findings
import GRDB
import Support
import WorkerProtocol

extension JobStore {
    /// What a job's task is expected to take.
    /// - Returns: nil where that is not known, or was too little for an earlier attempt.
    public func estimate(of attempt: JobAttempt) throws -> JobEstimate? {
        try readBlocking { database in
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT models.summary AS model, models.pass, d.summary AS dataset, c.summary AS clean,
                        t.summary AS triggered
                    FROM jobs
                    JOIN models ON models.id = model_ref
                    JOIN datasets AS d ON d.id = dataset_ref
                    LEFT JOIN datasets AS c ON c.id = clean_ref
                    LEFT JOIN datasets AS t ON t.id = triggered_ref
                    WHERE jobs.seq = ? AND NOT is_enlarged
                    """, arguments: [attempt.seq])
            guard let row, let model: ModelSummary = try row.json("model"),
                let dataset: DatasetSummary = try row.json("dataset")
            else { return nil }
            let further = try ["clean", "triggered"].compactMap { try row.json($0, as: DatasetSummary.self) }
            return JobEstimate(
                attempt.request.type, attempt.request.options, model: model, pass: try row.json("pass"),
                dataset: dataset, further: further)
        }
    }

    /// From the job's next attempt on, its task is given all that a task may have.
    static func enlarge(_ seq: Int64, _ database: Database) throws {
        try database.execute(sql: "UPDATE jobs SET is_enlarged = 1 WHERE seq = ?", arguments: [seq])
    }
}
