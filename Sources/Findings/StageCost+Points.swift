/// The cost of stages among a job's metric points, as which it is reported and kept.
extension StageCost {
    private static let prefix = "cost"

    private enum Quantity: String, CaseIterable {
        case forwards, gradients, trainingSamples, seconds, bytesRead, peakMemory
    }

    /// One for each quantity.
    public var points: [MetricPoint] {
        Quantity.allCases.map {
            MetricPoint(
                phase: phase, round: round, name: "\(Self.prefix).\(stage.rawValue).\($0.rawValue)",
                value: self[$0])
        }
    }

    /// Takes the costs out of a job's points.
    /// - Returns: the costs in the order in which the stages run; the other points as they come.
    public static func split(_ points: [MetricPoint]) -> (costs: [StageCost], others: [MetricPoint]) {
        var (costs, others): ([StageCost], [MetricPoint]) = ([], [])
        for point in points {
            let parts = point.name.split(separator: ".")
            guard parts.count == 3, parts[0] == prefix, let stage = Stage(rawValue: String(parts[1])),
                let quantity = Quantity(rawValue: String(parts[2]))
            else {
                others.append(point)
                continue
            }
            let known = costs.firstIndex {
                $0.phase == point.phase && $0.round == point.round && $0.stage == stage
            }
            let index = known ?? costs.endIndex
            if known == nil {
                costs.append(StageCost(phase: point.phase, round: point.round, stage: stage))
            }
            costs[index][quantity] = point.value
        }
        func place(_ cost: StageCost) -> (Int, Int, Int) {
            (
                Phase.allCases.firstIndex(of: cost.phase) ?? 0, cost.round,
                Stage.allCases.firstIndex(of: cost.stage) ?? 0
            )
        }
        return (costs.sorted { place($0) < place($1) }, others)
    }

    private subscript(_ quantity: Quantity) -> Double {
        get {
            switch quantity {
            case .forwards: Double(forwards)
            case .gradients: Double(gradients)
            case .trainingSamples: Double(trainingSamples)
            case .seconds: seconds
            case .bytesRead: Double(bytesRead)
            case .peakMemory: Double(peakMemory)
            }
        }
        set {
            // What a worker reported: numbers beyond an integer's are none that it can have counted.
            let count = Int(exactly: newValue.rounded()) ?? 0
            switch quantity {
            case .forwards: forwards = count
            case .gradients: gradients = count
            case .trainingSamples: trainingSamples = count
            case .seconds: seconds = newValue
            case .bytesRead: bytesRead = count
            case .peakMemory: peakMemory = count
            }
        }
    }
}
