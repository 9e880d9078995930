import Burn

extension AnalysisTable {
    func save(_ path: String) throws {
        try ColumnFile.write(
            [
                ("predicted", predicted.data), ("runner_up", runnerUp.data),
                ("linear_distance", linearDistance.data), ("distance", distance.data),
                ("adversarial_label", adversarialLabel.data),
            ], to: path)
    }

    /// Nil when the file is not there, or not one for `count` samples.
    init?(path: String, count: Int) throws {
        guard let columns = try ColumnFile.read(path),
            let predicted: [Int32] = columns.column("predicted", count: count),
            let runnerUp: [Int32] = columns.column("runner_up", count: count),
            let linear: [Float] = columns.column("linear_distance", count: count),
            let distance: [Float] = columns.column("distance", count: count),
            let adversarial: [Int32] = columns.column("adversarial_label", count: count)
        else { return nil }
        self.init(count: count)
        self.predicted = predicted
        self.runnerUp = runnerUp
        linearDistance = linear
        self.distance = distance
        adversarialLabel = adversarial
    }
}
