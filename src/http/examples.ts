// Pictures that are small enough for the OpenAPI document: "Try it out" sends them.

/** test/golden/cat.jpg as a JPEG of 64 x 64 pixels, base64. */
export const sampleImageBase64 = [
  '/9j/2wBDABQUFBQVFBcZGRcfIh4iHy4rJycrLkYyNjI2MkZqQk5CQk5Cal5yXVZdcl6phXZ2hanDpJukw+zT0+z/////////2wBD',
  'ARQUFBQVFBcZGRcfIh4iHy4rJycrLkYyNjI2MkZqQk5CQk5Cal5yXVZdcl6phXZ2hanDpJukw+zT0+z/////////wgARCABAAEAD',
  'ASIAAhEBAxEB/8QAGQAAAwEBAQAAAAAAAAAAAAAAAgMEAQAF/8QAGAEBAQEBAQAAAAAAAAAAAAAAAgEAAwT/2gAMAwEAAhADEAAA',
  'ANTvef0zuU3abKlaPcorZnmgWSmTkPX3NiEvE9dFAseWqS1Ir8htlSY2deYZYhZecgKbTeoRFVT/AP/EACUQAAICAgIBBQADAQAA',
  'AAAAAAECAAMRMRIhBBNBUWFxQlKRwf/aAAgBAQABPwAEIAgEZ8nGz8Rgo7PRi6YYM4cqayDkr0SZWWByCeOMYlLc/fBjHHUIx0Pe',
  'cDjC7MZWGD9y3IQd4JIlqFWTY5oQYFLCtcnDOO/wZlYA5H3Bj4B5MesdRFuBHKw4Mva6v01QrlzjJEv8i+l1HqBiRoiVWDyOKkYd',
  'TkiPht7GoK0VR9HMHFXsJIAPzAgbGcES4EdAQsXUKemU5Q/8Mvqq9ZbHYoQNETxrQfNQgEAjEtXBjsOP4uf8lfO7yXNmgOydYnjU',
  'kVVjlgEalt1rdFCJy/tiI7Dod/Rl6sLA/uDEs57nkgpVke4xBVX/ACsdxvj0BGtcnJisc8WInpqw0IyqsZQ4O5S/FyuZ5DZpUAwK',
  'zfWNxaK7FGDHoBGhK2ZTh+/vHUtbeeJ/RKQMnrr9nm0LSRbXgKT2DPHrZwLHJCDQ+ZWoCE/Ji4DFlJzDGXMYZhDDRjVtaMNqcSAM',
  'tErZ+hqJUiDXc//EABwRAAICAgMAAAAAAAAAAAAAAAABESECEBJBcf/aAAgBAgEBPwBsnSk7KaXl6VNEDcFyYKSDhY0hI//EABkR',
  'AQEBAQEBAAAAAAAAAAAAAAEAERAgQf/aAAgBAwEBPwDx8hR5ujwkJctttm//2Q==',
].join('');

/** The same as a PNG of 8 x 8 pixels, byte for byte. */
export const sampleImageBytes = [
  137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 8, 0, 0, 0, 8, 4, 3, 0, 0, 0, 54, 33,
  163, 184, 0, 0, 0, 48, 80, 76, 84, 69, 145, 100, 63, 149, 107, 75, 160, 122, 100, 151, 113, 84, 169, 119,
  74, 130, 89, 59, 137, 101, 78, 97, 74, 46, 169, 126, 92, 172, 131, 112, 162, 121, 93, 156, 130, 114, 116,
  82, 58, 180, 151, 136, 127, 76, 43, 143, 81, 29, 141, 121, 107, 223, 0, 0, 0, 9, 112, 72, 89, 115, 0, 0, 11,
  19, 0, 0, 11, 19, 1, 0, 154, 156, 24, 0, 0, 0, 48, 73, 68, 65, 84, 8, 153, 99, 80, 12, 59, 35, 201, 96, 200,
  152, 106, 196, 192, 92, 208, 177, 154, 161, 161, 124, 70, 17, 131, 168, 156, 75, 48, 3, 151, 195, 23, 110,
  6, 37, 151, 56, 107, 134, 155, 139, 211, 116, 1, 208, 76, 10, 238, 86, 183, 242, 88, 0, 0, 0, 0, 73, 69, 78,
  68, 174, 66, 96, 130,
];
