// How an uploaded file is to be read. All of it is optional; the names are the API's query parameters.
import { h, newID } from '../core/dom.js';

const fields = {
  models: [
    ['architecture', 'Architecture', 'Of weights alone, such as resnet18.'],
    ['image', 'Image side', 'Pixels; goes with an architecture.'],
    ['skeleton', 'Graph of another model', 'The id of a model whose graph the weights fill.'],
    ['weights', 'Copy of the weights', 'Where a checkpoint holds several, such as state_dict_ema.'],
    ['output', 'Output', 'Of a model with several: the name or number of the logits.'],
  ],
  datasets: [
    ['resize', 'Resize', '256 for the shorter side, or 256x320.'],
    ['crop', 'Centre crop', 'Such as 224.'],
    ['alpha', 'Transparent images', null, ['', 'refuse', 'drop']],
    ['split', 'Split', 'Of data sets that hold several.', ['', 'train', 'test', 'validation']],
    ['layout', 'Layout', 'Where several readings fit.', ['', 'folders', 'leaf-folders', 'manifest', 'webdataset', 'parquet', 'cifar', 'arrays']],
    ['orientation', 'Orientation in EXIF', 'As Pillow loads images, or turned upright.', ['', 'stored', 'upright']],
    ['skip_damaged', 'Damaged images', 'Left out, and named.', ['', 'true']],
    ['empty_classes', 'Classes without images', 'Taken for classes too.', ['', 'true']],
  ],
};

export function importOptions(kind) {
  const inputs = fields[kind].map(([name, label, hint, values]) => {
    const id = newID(name);
    const input = values
      ? h('select', { id, name }, values.map((value) => h('option', { value }, value || 'Default')))
      : h('input', { id, name, autocomplete: 'off', spellcheck: 'false' });
    return { input, row: h('div', { class: 'field' }, h('label', { for: id }, label), input,
      hint && h('p', { class: 'hint' }, hint)) };
  });
  return {
    element: h('details', {}, h('summary', {}, 'How the file is to be read'),
      h('p', { class: 'quiet small' }, 'Set these before you choose the file.'),
      h('div', { class: 'fields' }, inputs.map(({ row }) => row))),
    value() {
      const parameters = new URLSearchParams();
      for (const { input } of inputs) if (input.value.trim()) parameters.set(input.name, input.value.trim());
      return parameters;
    },
  };
}
