import Support

extension OperatorCatalog {
    /// The allowlist: signatures as PyTorch 2.13 has them, by the function that gives the result's shape.
    // bounded: lists.
    static let table: [OperatorRule] =
        elementwise + convolutions + normalisations + products + layouts + indexing + resampling + reductions
        + symbolic

    private static let elementwise: [OperatorRule] =
        group(
            OperatorCall.sameShape,
            """
            aten::relu(Tensor self) -> Tensor
            aten::relu_(Tensor(a!) self) -> Tensor(a!)
            aten::relu6(Tensor self) -> Tensor
            aten::relu6_(Tensor(a!) self) -> Tensor(a!)
            aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor
            aten::elu_(Tensor(a!) self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor(a!)
            aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor
            aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor
            aten::type_as(Tensor self, Tensor other) -> Tensor
            aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor
            aten::selu(Tensor self) -> Tensor
            aten::selu_(Tensor(a!) self) -> Tensor(a!)
            aten::celu(Tensor self, Scalar alpha=1.) -> Tensor
            aten::celu_(Tensor(a!) self, Scalar alpha=1.) -> Tensor(a!)
            aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor
            aten::leaky_relu_(Tensor(a!) self, Scalar negative_slope=0.01) -> Tensor(a!)
            aten::gelu(Tensor self, *, str approximate="none") -> Tensor
            aten::silu(Tensor self) -> Tensor
            aten::silu_(Tensor(a!) self) -> Tensor(a!)
            aten::mish(Tensor self) -> Tensor
            aten::mish_(Tensor(a!) self) -> Tensor(a!)
            aten::hardswish(Tensor self) -> Tensor
            aten::hardswish_(Tensor(a!) self) -> Tensor(a!)
            aten::hardsigmoid(Tensor self) -> Tensor
            aten::hardsigmoid_(Tensor(a!) self) -> Tensor(a!)
            aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor
            aten::hardtanh_(Tensor(a!) self, Scalar min_val=-1, Scalar max_val=1) -> Tensor(a!)
            aten::sigmoid(Tensor self) -> Tensor
            aten::sigmoid_(Tensor(a!) self) -> Tensor(a!)
            aten::tanh(Tensor self) -> Tensor
            aten::tanh_(Tensor(a!) self) -> Tensor(a!)
            aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor
            aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor
            aten::clamp_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)
            aten::clamp_min(Tensor self, Scalar min) -> Tensor
            aten::clamp_max(Tensor self, Scalar max) -> Tensor
            aten::abs(Tensor self) -> Tensor
            aten::neg(Tensor self) -> Tensor
            aten::exp(Tensor self) -> Tensor
            aten::log(Tensor self) -> Tensor
            aten::sqrt(Tensor self) -> Tensor
            aten::rsqrt(Tensor self) -> Tensor
            aten::reciprocal(Tensor self) -> Tensor
            aten::square(Tensor self) -> Tensor
            aten::erf(Tensor self) -> Tensor
            aten::exp2(Tensor self) -> Tensor
            aten::expm1(Tensor self) -> Tensor
            aten::log1p(Tensor self) -> Tensor
            aten::log2(Tensor self) -> Tensor
            aten::log_sigmoid(Tensor self) -> Tensor
            aten::sin(Tensor self) -> Tensor
            aten::cos(Tensor self) -> Tensor
            aten::floor(Tensor self) -> Tensor
            aten::ceil(Tensor self) -> Tensor
            aten::round(Tensor self) -> Tensor
            aten::trunc(Tensor self) -> Tensor
            aten::sign(Tensor self) -> Tensor
            aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor
            aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor
            aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor
            aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor
            aten::bitwise_not(Tensor self) -> Tensor
            aten::fill.Scalar(Tensor self, Scalar value) -> Tensor
            aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)
            aten::zero_(Tensor(a!) self) -> Tensor(a!)
            aten::flip(Tensor self, int[] dims) -> Tensor
            aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor
            aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor
            aten::tril(Tensor self, SymInt diagonal=0) -> Tensor
            aten::triu(Tensor self, SymInt diagonal=0) -> Tensor
            aten::logical_not(Tensor self) -> Tensor
            aten::isnan(Tensor self) -> Tensor
            aten::eq.Scalar(Tensor self, Scalar other) -> Tensor
            aten::ne.Scalar(Tensor self, Scalar other) -> Tensor
            aten::gt.Scalar(Tensor self, Scalar other) -> Tensor
            aten::ge.Scalar(Tensor self, Scalar other) -> Tensor
            aten::lt.Scalar(Tensor self, Scalar other) -> Tensor
            aten::le.Scalar(Tensor self, Scalar other) -> Tensor
            aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor
            aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor
            aten::add_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)
            aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor
            aten::sub_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)
            aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor
            aten::mul.Scalar(Tensor self, Scalar other) -> Tensor
            aten::mul_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)
            aten::div.Scalar(Tensor self, Scalar other) -> Tensor
            aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor
            aten::div_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)
            aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)
            aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor
            aten::detach(Tensor(a) self) -> Tensor(a)
            aten::detach_(Tensor(a!) self) -> Tensor(a!)
            aten::alias(Tensor(a) self) -> Tensor(a)
            aten::lift_fresh_copy(Tensor self) -> Tensor
            aten::lift_fresh(Tensor(a) self) -> Tensor(a)
            aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor
            aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)
            aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)
            aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)
            aten::dropout(Tensor input, float p, bool train) -> Tensor
            aten::dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)
            aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)
            aten::feature_dropout(Tensor input, float p, bool train) -> Tensor
            aten::alpha_dropout(Tensor input, float p, bool train) -> Tensor
            aten::feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor
            aten::feature_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)
            aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor
            aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor
            aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor
            """)
        + group(
            OperatorCall.softmax,
            """
            aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor
            aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor
            aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor
            aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor
            """)
        + group(
            OperatorCall.broadcast,
            """
            aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor
            aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)
            aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor
            aten::sub_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)
            aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor
            aten::mul.Tensor(Tensor self, Tensor other) -> Tensor
            aten::mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)
            aten::div.Tensor(Tensor self, Tensor other) -> Tensor
            aten::div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)
            aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor
            aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor
            aten::floor_divide(Tensor self, Tensor other) -> Tensor
            aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor
            aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor
            aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor
            aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor
            aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor
            aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor
            aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor
            aten::masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)
            aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)
            aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor
            aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)
            aten::eq.Tensor(Tensor self, Tensor other) -> Tensor
            aten::ne.Tensor(Tensor self, Tensor other) -> Tensor
            aten::gt.Tensor(Tensor self, Tensor other) -> Tensor
            aten::ge.Tensor(Tensor self, Tensor other) -> Tensor
            aten::lt.Tensor(Tensor self, Tensor other) -> Tensor
            aten::le.Tensor(Tensor self, Tensor other) -> Tensor
            aten::logical_and(Tensor self, Tensor other) -> Tensor
            aten::logical_or(Tensor self, Tensor other) -> Tensor
            aten::logical_xor(Tensor self, Tensor other) -> Tensor
            aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor
            aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor
            aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor
            aten::maximum(Tensor self, Tensor other) -> Tensor
            aten::atan2(Tensor self, Tensor other) -> Tensor
            aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor
            aten::minimum(Tensor self, Tensor other) -> Tensor
            aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor
            aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor
            """)
        + group(OperatorCall.exponent, "aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor")
        + group(
            OperatorCall.weightNorm,
            "aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor")
        + group(
            OperatorCall.prelu,
            """
            aten::prelu(Tensor self, Tensor weight) -> Tensor
            aten::_prelu_kernel(Tensor self, Tensor weight) -> Tensor
            """)

    private static let convolutions: [OperatorRule] =
        group(
            OperatorCall.convolution,
            """
            aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0], SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor
            aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], SymInt[1] padding=[0], SymInt[1] dilation=[1], SymInt groups=1) -> Tensor
            aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], str padding="valid", SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor
            aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor
            aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool cudnn_enabled, bool allow_tf32) -> Tensor
            """)
        + group(
            OperatorCall.transposedConvolution,
            "aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt groups=1, SymInt[2] dilation=[1, 1]) -> Tensor"
        )
        + group(
            OperatorCall.volumePool,
            "aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=[0, 0, 0], bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor"
        )
        + group(
            OperatorCall.sequencePool,
            """
            aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool ceil_mode=False, bool count_include_pad=True) -> Tensor
            aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] dilation=[1], bool ceil_mode=False) -> Tensor
            """)
        + group(
            OperatorCall.pool,
            """
            aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=[0, 0], int[2] dilation=[1, 1], bool ceil_mode=False) -> Tensor
            aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=[0, 0], int[2] dilation=[1, 1], bool ceil_mode=False) -> (Tensor, Tensor)
            aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=[0, 0], bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor
            """)
        + group(
            OperatorCall.adaptivePool,
            """
            aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor
            aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor
            aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)
            aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor
            aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)
            """)

    private static let normalisations: [OperatorRule] =
        group(
            OperatorCall.batchNorm,
            """
            aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor
            aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)
            aten::_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)
            aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)
            aten::_native_batch_norm_legit_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)
            aten::_batch_norm_with_update(Tensor input, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, Tensor(b!) running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor)
            aten::_batch_norm_with_update_functional(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)
            aten::_batch_norm_no_update(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor)
            """)
        + group(
            OperatorCall.layerNorm,
            """
            aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True) -> Tensor
            aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor
            aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)
            """)
        + group(
            OperatorCall.instanceNorm,
            """
            aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor
            """)
        + group(
            OperatorCall.groupNorm,
            """
            aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True) -> Tensor
            aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)
            """)

    private static let products: [OperatorRule] =
        group(OperatorCall.linear, "aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor")
        + group(
            OperatorCall.addmm,
            """
            aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor
            aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor
            """)
        + group(
            OperatorCall.matmul,
            """
            aten::mm(Tensor self, Tensor mat2) -> Tensor
            aten::bmm(Tensor self, Tensor mat2) -> Tensor
            aten::matmul(Tensor self, Tensor other) -> Tensor
            """)
        + group(
            OperatorCall.recurrent,
            """
            aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)
            aten::gru.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)
            aten::rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)
            aten::rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)
            """)
        + group(
            OperatorCall.similarity,
            """
            aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor
            """)
        + group(
            OperatorCall.pairwiseDistance,
            """
            aten::pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False) -> Tensor
            """)
        + group(
            OperatorCall.distances,
            "aten::cdist(Tensor x1, Tensor x2, float p=2, int? compute_mode=None) -> Tensor")
        + group(
            OperatorCall.cross,
            """
            aten::cross(Tensor self, Tensor other, int? dim=None) -> Tensor
            aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor
            """)
        + group(
            OperatorCall.matrixVector,
            """
            aten::mv(Tensor self, Tensor vec) -> Tensor
            aten::dot(Tensor self, Tensor tensor) -> Tensor
            aten::vdot(Tensor self, Tensor other) -> Tensor
            """)
        + group(
            OperatorCall.einsum,
            "aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor")
        + group(
            OperatorCall.attention,
            """
            aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, float dropout_p=0.0, bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor output, Tensor logsumexp)
            aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor
            """)

    private static let reductions: [OperatorRule] = group(
        OperatorCall.reduction,
        """
        aten::max(Tensor self) -> Tensor
        aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)
        aten::min(Tensor self) -> Tensor
        aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)
        aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor
        aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor
        aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor
        aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor
        aten::var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor
        aten::std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor
        aten::std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor
        aten::var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)
        aten::var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)
        aten::std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)
        aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)
        aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> Tensor
        aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor
        aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor
        aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor
        aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor
        aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor
        aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor
        aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor
        aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor
        aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor
        """)

    private static let symbolic: [OperatorRule] =
        group(OperatorCall.symbolicSize, "sym::size(Tensor self, int dim) -> SymInt")
        + group(
            OperatorCall.symbolicArithmetic,
            """
            sym::add(SymInt a, SymInt b) -> SymInt
            sym::sub(SymInt a, SymInt b) -> SymInt
            sym::mul(SymInt a, SymInt b) -> SymInt
            sym::floordiv(SymInt a, SymInt b) -> SymInt
            """)
}
