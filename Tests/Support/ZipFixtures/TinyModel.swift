/// A small `.pt2` written by hand: conv2d, relu_, flatten, linear, as PyTorch writes them.
public struct TinyModel {
    public var program = """
        {"graph_module": {"graph": {
          "inputs": [{"as_tensor": {"name": "p_w"}}, {"as_tensor": {"name": "p_v"}}, {"as_tensor": {"name": "p_b"}},
                     {"as_tensor": {"name": "x"}}],
          "outputs": [{"as_tensor": {"name": "linear"}}],
          "nodes": [
            {"target": "torch.ops.aten.conv2d.default", "name": "conv2d", "metadata": {"stack_trace": "line"},
             "inputs": [{"name": "input", "arg": {"as_tensor": {"name": "x"}}, "kind": 1},
                        {"name": "weight", "arg": {"as_tensor": {"name": "p_w"}}, "kind": 1},
                        {"name": "bias", "arg": {"as_none": true}, "kind": 1},
                        {"name": "stride", "arg": {"as_ints": [1, 1]}, "kind": 1},
                        {"name": "padding", "arg": {"as_ints": [1, 1]}, "kind": 1}],
             "outputs": [{"as_tensor": {"name": "conv2d"}}]},
            {"target": "torch.ops.aten.relu_.default", "name": "relu_", "metadata": {},
             "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "conv2d"}}, "kind": 1}],
             "outputs": [{"as_tensor": {"name": "relu_"}}]},
            {"target": "torch.ops.aten.flatten.using_ints", "name": "flatten", "metadata": {},
             "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "relu_"}}, "kind": 1},
                        {"name": "start_dim", "arg": {"as_int": 1}, "kind": 1}],
             "outputs": [{"as_tensor": {"name": "flatten"}}]},
            {"target": "torch.ops.aten.linear.default", "name": "linear", "metadata": {},
             "inputs": [{"name": "input", "arg": {"as_tensor": {"name": "flatten"}}, "kind": 1},
                        {"name": "weight", "arg": {"as_tensor": {"name": "p_v"}}, "kind": 1},
                        {"name": "bias", "arg": {"as_tensor": {"name": "p_b"}}, "kind": 1}],
             "outputs": [{"as_tensor": {"name": "linear"}}]}],
          "tensor_values": {"x": {"dtype": 7, "sizes": [{"as_expr": {"expr_str":
            "Symbol('s77', positive=True, integer=True)", "hint": {"as_int": 2}}}, {"as_int": 3}, {"as_int": 4},
            {"as_int": 4}], "requires_grad": false, "device": {"type": "cpu", "index": null},
            "strides": [{"as_int": 48}, {"as_int": 16}, {"as_int": 4}, {"as_int": 1}],
            "storage_offset": {"as_int": 0}, "layout": 7}},
          "sym_int_values": {}, "sym_bool_values": {}},
         "signature": {"input_specs": [
            {"parameter": {"arg": {"name": "p_w"}, "parameter_name": "conv.weight"}},
            {"parameter": {"arg": {"name": "p_v"}, "parameter_name": "fc.weight"}},
            {"parameter": {"arg": {"name": "p_b"}, "parameter_name": "fc.bias"}},
            {"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
          "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "linear"}}}}]},
         "module_call_graph": []},
         "opset_version": {"aten": 10}, "range_constraints": {"s77": {"min_val": 0, "max_val": null}},
         "schema_version": {"major": 8, "minor": 20}, "verifiers": ["TRAINING"], "torch_version": "2.13.0"}
        """

    public var weights =
        "{\"config\": {" + row("conv.weight", "weight_0", [2, 3, 3, 3], [27, 9, 3, 1]) + ", "
        + row("fc.weight", "weight_1", [10, 32], [32, 1]) + ", " + row("fc.bias", "weight_2", [10], [1])
        + "}}"

    public var constants = "{\"config\": {}}"

    /// After the standard ones.
    public var others: [ZipBuilder.Entry] = []
    public var changeEntries: (inout [ZipBuilder.Entry]) -> Void = { _ in }

    public static func row(_ name: String, _ file: String, _ sizes: [Int], _ strides: [Int]) -> String {
        func list(_ numbers: [Int]) -> String {
            "[" + numbers.map { "{\"as_int\": \($0)}" }.joined(separator: ", ") + "]"
        }
        return """
            "\(name)": {"path_name": "\(file)", "is_param": true, "use_pickle": false, "tensor_meta": {"dtype": 7, \
            "sizes": \(list(sizes)), "requires_grad": true, "device": {"type": "cpu", "index": null}, \
            "strides": \(list(strides)), "storage_offset": {"as_int": 0}, "layout": 7}}
            """
    }

    public init() {}

    public func build(_ change: (inout ZipBuilder.End) -> Void = { _ in }) -> [UInt8] {
        func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
        var entries: [ZipBuilder.Entry] = [
            .init("m/data/weights/weight_0", zeros(216)), .init("m/data/weights/weight_1", zeros(1_280)),
            .init("m/data/weights/weight_2", zeros(40)),
            .init("m/data/weights/model_weights_config.json", weights),
            .init("m/data/constants/model_constants_config.json", constants),
            .init("m/models/model.json", program), .init("m/data/sample_inputs/model.pt", ""),
            .init("m/archive_format", "pt2"), .init("m/archive_version", "0"), .init("m/byteorder", "little"),
        ]
        entries += others
        changeEntries(&entries)
        return ZipBuilder(entries).build(change)
    }
}
