import Support

// bounded in this file: sizes by `GraphLimits`; layers by the number of weights.

/// Recurrent networks over the rows of an image, or other sequences.
extension OperatorCall {
    static let recurrent: OperatorRule.ShapeFunction = { call in
        let gates = ["aten::lstm": 4, "aten::gru": 3][call.schema.name] ?? 1
        let isLSTM = gates == 4
        let input = try call.shape("input")
        let states = isLSTM ? try call.shapes("hx") : [try call.shape("hx")]
        let weights = try call.shapes("params")
        let (layers, directions) = (try call.int("num_layers"), call.bool("bidirectional") ? 2 : 1)
        let isFirst = call.bool("batch_first")
        guard input.count == 3, let features = input[2].known, states.count == (isLSTM ? 2 : 1),
            let hidden = states.first?.last?.known, let rows = Checked.product(gates, hidden)
        else { throw call.failure("\(input.text) is no batch of sequences.") }
        let perPart = call.bool("has_biases") ? 4 : 2
        guard (1...64).contains(layers), weights.count == layers * directions * perPart else {
            throw call.failure("\(layers) layers do not have \(weights.count) weights.")
        }
        let batch = input[isFirst ? 0 : 1]
        let state: Shape = [Dimension(layers * directions), batch, Dimension(hidden)]
        guard states.allSatisfy({ $0 == state }) else {
            throw call.failure("The first state is not \(state.text).")
        }
        for part in 0..<layers * directions {
            let width = part < directions ? features : hidden * directions
            let own = Array(weights[(part * perPart)..<(part * perPart + perPart)])
            let expected: [Shape] = [[rows, width], [rows, hidden], [rows], [rows]].map {
                $0.map { Dimension($0) }
            }
            guard own == Array(expected.prefix(perPart)) else {
                throw call.failure("Weights of layer \(part / directions) do not fit \(width) features.")
            }
        }
        let result: Shape = [input[0], input[1], Dimension(hidden * directions)]
        guard let perElement = Checked.product([gates, features + hidden * directions, layers]) else {
            throw call.failure("The weights are too large.")
        }
        try call.count(result, perElement: perElement)
        return [result] + Array(repeating: state, count: states.count)
    }
}
